"""SIGHUP: a service is asked to read its configuration anew; a program at a desk has lost its terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

_ERRORS = 2  # standard error: what is read at a desk


class Hangup:
    """From its making on the signal ends nothing by itself: what comes before there is a service is kept for it."""

    def __init__(self) -> None:
        self._had_terminal = os.isatty(_ERRORS)
        self._was_asked = False
        self._reload: Callable[[], None] | None = None
        self._stop: Callable[[], None] | None = None
        signal.signal(signal.SIGHUP, lambda *_: self._hear())

    def become(self, reload: Callable[[], None], stop: Callable[[], None]) -> None:
        """What the signal is to do from now on; both are called by a signal handler."""
        self._reload, self._stop = reload, stop
        if self._was_asked:
            self._hear()

    def _hear(self) -> None:
        is_alone = self._had_terminal and not os.isatty(_ERRORS)
        act = self._stop if is_alone else self._reload
        self._was_asked = True
        if act is not None:
            act()
