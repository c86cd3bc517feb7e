"""The watchdog's pings: sent while every stage advances, and withheld when one stands still."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from edge.core.protocols import Clock
from edge.service.progress import Progress, Stage
from edge.service.systemd import Notifier

logger = logging.getLogger(__name__)

_LOOK_S = 1.0  # how often stages are looked at


class Alive:
    """Each turn of the service's loop is progress, if all other stages advance too; else the watchdog shall bark."""

    def __init__(self, notifier: Notifier, clock: Clock) -> None:
        self._notifier = notifier
        self._clock = clock
        self._progress = Progress((), clock)
        self._next_ns = clock.monotonic_ns()
        self._told_stalled: tuple[str, ...] = ()

    def watch(self, stages: Sequence[Stage]) -> None:
        """These from now on."""
        self._progress = Progress(stages, self._clock)

    def turn(self, now_ns: int) -> None:
        """Ping, if it is time to."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + round(min(_LOOK_S, self._notifier.alive_every_s) * 1e9)
        stalled = self._progress.stalled()
        if not stalled:
            self._notifier.alive()
        elif stalled != self._told_stalled:
            logger.error("standing still: %s", ", ".join(stalled))
            self._notifier.stalled(", ".join(stalled))
        self._told_stalled = stalled
