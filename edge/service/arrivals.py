"""What comes from the capture threads, in order: frames, of which the newest wins, and news, of which none is lost.

Freshness over completeness for what is live; a recording that is to be read whole waits for its reader instead.
One channel for both, so that what a camera said before a frame is heard before that frame is looked at.
"""

from __future__ import annotations

import threading
from collections import Counter, deque

from edge.core.values import Frame
from edge.service.news import CameraNews


class Arrivals:
    """At most one frame per camera waits. ``take`` serves the cameras in turn so that none starves.

    ``put``, ``put_and_wait`` and ``tell`` are called by the capture threads, ``take`` by the inference thread alone.
    """

    def __init__(self, cameras: tuple[str, ...]) -> None:
        self._waiting: dict[str, deque[Frame | CameraNews]] = {camera: deque() for camera in cameras}
        self._turn = deque(cameras)
        self._changed = threading.Condition()
        self._is_closed = False
        self.dropped: Counter[str] = Counter()

    def put(self, frame: Frame) -> None:
        """Offer a frame; one that was not taken yet is dropped and counted."""
        with self._changed:
            waiting = self._waiting[frame.camera]
            older = _frame_in(waiting)
            if older is not None:
                waiting.remove(older)
                self.dropped[frame.camera] += 1
            waiting.append(frame)
            self._changed.notify_all()

    def put_and_wait(self, frame: Frame) -> None:
        """Offer a frame once the one before it is taken: nothing is dropped. Returns early when closed."""
        with self._changed:
            waiting = self._waiting[frame.camera]
            self._changed.wait_for(lambda: _frame_in(waiting) is None or self._is_closed)
            waiting.append(frame)
            self._changed.notify_all()

    def tell(self, news: CameraNews) -> None:
        """Say something; it is heard after all that came before it."""
        with self._changed:
            self._waiting[news.camera].append(news)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Frame | CameraNews | None:
        """What came next from the camera that has waited longest for its turn; None when nothing came in time."""
        with self._changed:
            self._changed.wait_for(lambda: any(self._waiting.values()) or self._is_closed, timeout_s)
            for camera in self._turn:
                if self._waiting[camera]:
                    self._turn.remove(camera)
                    self._turn.append(camera)
                    self._changed.notify_all()
                    return self._waiting[camera].popleft()
        return None

    def close(self) -> None:
        """Nobody waits any longer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


def _frame_in(waiting: deque[Frame | CameraNews]) -> Frame | None:
    return next((item for item in waiting if isinstance(item, Frame)), None)
