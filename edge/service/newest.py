"""Frames from the thread that captures to the thread that works on them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from edge.core.values import Frame


class DropCause(StrEnum):
    OVERWRITTEN = "overwritten"  # a newer frame came before this one was taken
    CLOSED = "closed"  # it came after close


@dataclass(frozen=True, slots=True)
class HandOver:
    """What has become of the frames: put = taken + the drops + at most one that waits."""

    put: int
    taken: int
    dropped: dict[DropCause, int]


class _Slot:
    """A place for one frame. ``take`` gives None on time-out and at the end; ``is_over`` tells which."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._is_closed = False
        self._put = self._taken = 0
        self._dropped = dict.fromkeys(DropCause, 0)

    def take(self, timeout_s: float | None = None) -> Frame | None:
        """The waiting frame; waits for one up to the time-out (None: until there is one, or the slot is closed)."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._is_closed, timeout_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                self._taken += 1
                self._changed.notify_all()
            return frame

    def close(self) -> None:
        """No more frames will come; wakes whoever waits. A waiting frame can still be taken. May be called twice."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Closed, and the last frame taken."""
        with self._changed:
            return self._is_closed and self._frame is None

    def hand_over(self) -> HandOver:
        """The counts so far."""
        with self._changed:
            return HandOver(self._put, self._taken, dict(self._dropped))

    def _store(self, frame: Frame) -> None:
        self._frame = frame
        self._changed.notify_all()

    def _drop(self, cause: DropCause) -> None:
        self._dropped[cause] += 1


class NewestFrame(_Slot):
    """For live sources: the newest frame wins, and the one it replaces is counted."""

    def put(self, frame: Frame) -> bool:
        """Never waits; False when the slot is closed."""
        with self._changed:
            self._put += 1
            if self._is_closed:
                self._drop(DropCause.CLOSED)
                return False
            if self._frame is not None:
                self._drop(DropCause.OVERWRITTEN)
            self._store(frame)
            return True


class EveryFrame(_Slot):
    """For recordings as fast as possible: no frame is lost, and the source waits for the work."""

    def put(self, frame: Frame) -> bool:
        """Waits until the frame before has been taken; False when the slot was closed instead."""
        with self._changed:
            self._put += 1
            self._changed.wait_for(lambda: self._frame is None or self._is_closed)
            if self._is_closed:
                self._drop(DropCause.CLOSED)
                return False
            self._store(frame)
            return True
