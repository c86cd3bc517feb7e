"""Which version of MQTT to try next: 5, and 3.1.1 where 5 is refused."""

from __future__ import annotations

from edge.wire.packets import Version
from edge.wire.reasons import Cause

# Closing without an answer is how some old brokers refuse version 5, and how a starting one behaves behind a proxy.
_SILENT_LIMIT = 2


class Dialect:
    """Remembers what the broker said.

    A refusal is remembered for good. A guess after silence is used for the connection it brings, and 5 is tried anew
    after it: 3.1.1 hides denied messages, so a broker that was only starting up must not be spoken to in it for ever.
    """

    def __init__(self) -> None:
        self.version = Version.V5
        self._is_settled = False
        self._silences = 0

    def note(self, cause: Cause) -> bool:
        """Learn from how a connection ended; whether the next version is worth trying at once."""
        before = self.version
        if cause is Cause.VERSION:
            self._is_settled = before is Version.V5
            self._silences = 0
            self.version = Version.V311 if before is Version.V5 else Version.V5
        elif not self._is_settled:
            self._guess(cause)
        return self.version is Version.V311 and before is Version.V5

    def _guess(self, cause: Cause) -> None:
        self._silences = self._silences + 1 if cause is Cause.SILENT else 0
        is_time_to_guess = self.version is Version.V5 and self._silences >= _SILENT_LIMIT
        self.version = Version.V311 if is_time_to_guess else Version.V5
        if is_time_to_guess:
            self._silences = 0
