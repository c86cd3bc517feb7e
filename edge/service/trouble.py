"""An error on its way from one process to another."""

from __future__ import annotations

import msgspec

from edge.core import errors
from edge.core.errors import Away, EdgeError, SourceError


class Trouble(msgspec.Struct, frozen=True):
    """kind : the error's class, by which it ends a command with the right exit code

    reason : of a camera that is away: the code
    """

    kind: str
    words: str
    reason: Away | None = None

    def error(self) -> EdgeError:
        """As it was raised."""
        kind = getattr(errors, self.kind, EdgeError)
        is_ours = isinstance(kind, type) and issubclass(kind, EdgeError)
        if is_ours and issubclass(kind, SourceError):
            return kind(self.words, self.reason or Away.LOST)
        return kind(self.words) if is_ours else EdgeError(self.words)


def trouble_of(error: EdgeError) -> Trouble:
    """What the other side has to know."""
    reason = error.reason if isinstance(error, SourceError) else None
    return Trouble(type(error).__name__, str(error), reason)
