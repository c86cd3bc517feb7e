"""Frames on their way from the capture threads to the one that infers: one place per camera, newest wins.

Freshness over completeness for what is live; a recording that is to be read whole waits for its reader instead.
"""

from __future__ import annotations

import threading
from collections import Counter

from edge.core.values import Frame


class NewestFrames:
    """One slot per camera, read in turn so that no camera starves.

    ``put`` is called by each camera's capture thread, ``take`` by the inference thread alone.
    """

    def __init__(self, cameras: tuple[str, ...]) -> None:
        self._slots: dict[str, Frame] = {}
        self._turn = list(cameras)
        self._changed = threading.Condition()
        self._is_closed = False
        self.dropped: Counter[str] = Counter()

    def put(self, frame: Frame) -> None:
        """Offer a frame; one that was not taken yet is dropped and counted."""
        with self._changed:
            if frame.camera in self._slots:
                self.dropped[frame.camera] += 1
            self._slots[frame.camera] = frame
            self._changed.notify_all()

    def put_and_wait(self, frame: Frame) -> None:
        """Offer a frame once the one before it is taken: nothing is dropped. Returns early when closed."""
        with self._changed:
            self._changed.wait_for(lambda: frame.camera not in self._slots or self._is_closed)
            self._slots[frame.camera] = frame
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame of the camera that has waited longest for its turn; None when none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._slots) or self._is_closed, timeout_s)
            for position, camera in enumerate(self._turn):
                if camera in self._slots:
                    self._turn.append(self._turn.pop(position))
                    self._changed.notify_all()
                    return self._slots.pop(camera)
        return None

    def holds(self, camera: str) -> bool:
        """Whether a frame of that camera waits to be taken."""
        with self._changed:
            return camera in self._slots

    def close(self) -> None:
        """Nobody waits any longer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
