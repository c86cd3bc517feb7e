"""When a run ends before its end: time is up, or a signal asks."""

from __future__ import annotations

import os
import signal
import time
from typing import Any


class StopWatch:
    """Laps, their rate over the last hundred, and whether the time that was given is over."""

    def __init__(self, minutes: float | None) -> None:
        self._began = self._last = time.monotonic()
        self._limit_s = None if minutes is None else minutes * 60
        self._laps: list[float] = []

    def lap(self) -> float:
        now = time.monotonic()
        taken, self._last = now - self._last, now
        self._laps = [*self._laps[-99:], now]
        return taken

    @property
    def steps_per_s(self) -> float:
        return (len(self._laps) - 1) / 2 / max(self._laps[-1] - self._laps[0], 1e-6)  # two laps a step

    @property
    def is_over(self) -> bool:
        return self._limit_s is not None and time.monotonic() - self._began > self._limit_s


class Signals:
    """SIGTERM and Ctrl-C end the run after the batch in hand."""

    def __init__(self) -> None:
        self.asked = False
        self._owner = os.getpid()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _ask(self, *_: object) -> None:
        # The workers inherit this handler; they just go on until the parent lets them go.
        if os.getpid() == self._owner:
            self.asked = True
