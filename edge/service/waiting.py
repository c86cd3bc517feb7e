"""What waits for its turn: frames that nobody has looked at yet, and news, in each camera's own order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.core.values import FrameFacts
from edge.service.announced import Announced
from edge.service.news import CameraNews


@dataclass(frozen=True, slots=True)
class Held:
    """A frame that nobody has to look at: what was seen before it is seen in it. Its slot is free already."""

    frame: FrameFacts


class WaitingRoom:
    """At most one frame of a live camera waits: the newest. The cameras take turns, so that none starves.

    News is heard after every frame that came before it, and before every frame that came after it.
    """

    def __init__(self, cameras: Iterable[str]) -> None:
        self._waiting: dict[str, deque[Announced | Held | CameraNews]] = {camera: deque() for camera in cameras}
        self._turn = deque(self._waiting)

    def change(self, cameras: Iterable[str]) -> None:
        """Others come; what waited of those who go is gone with them."""
        self._waiting = {camera: self._waiting.get(camera, deque()) for camera in cameras}
        self._turn = deque(sorted(self._waiting, key=lambda each: self._turn.index(each) if each in self._turn else -1))

    def put(self, announced: Announced, *, is_replacing: bool) -> Announced | None:
        """Let a frame wait; returns the older one whose place it took."""
        waiting = self._waiting[announced.frame.camera]
        older = self._take_older(waiting) if is_replacing else None
        waiting.append(announced)
        return older

    def hold(self, held: Held, *, is_replacing: bool) -> None:
        """Let a frame wait that needs no look; where the newest wins, it takes the place of the one before it."""
        waiting = self._waiting[held.frame.camera]
        if is_replacing and waiting and isinstance(waiting[-1], Held):
            waiting.pop()
        waiting.append(held)

    def put_back(self, announced: Announced) -> None:
        """It was taken, and is to be the next after all."""
        self._waiting[announced.frame.camera].appendleft(announced)

    def tell(self, news: CameraNews) -> None:
        self._waiting[news.camera].append(news)

    def has_frame(self, camera: str) -> bool:
        return any(not isinstance(each, CameraNews) for each in self._waiting[camera])

    @property
    def is_empty(self) -> bool:
        return not any(self._waiting.values())

    def take_frame(self, fits: Callable[[str], bool] = lambda _camera: True) -> Announced | None:
        """The frame that is next in its camera, of the camera that has waited longest for its turn.

        fits : which cameras are asked
        """
        for camera in self._turn:
            waiting = self._waiting[camera]
            if waiting and isinstance(waiting[0], Announced) and fits(camera):
                self._turn.remove(camera)
                self._turn.append(camera)
                frame = waiting.popleft()
                assert isinstance(frame, Announced)
                return frame
        return None

    def take_news(self, is_settled: Callable[[str], bool]) -> list[Held | CameraNews]:
        """What nobody has to look at, and nothing stands before any more.

        is_settled : whether no frame of a camera is under way
        """
        found: list[Held | CameraNews] = []
        for camera, waiting in self._waiting.items():
            while waiting and not isinstance(waiting[0], Announced) and is_settled(camera):
                item = waiting.popleft()
                assert not isinstance(item, Announced)
                found.append(item)
        return found

    def clear_for_news(self, camera: str) -> list[Announced]:
        """Take away the frames that stand before the newest news of a camera."""
        waiting = self._waiting[camera]
        last = max((place for place, each in enumerate(waiting) if isinstance(each, CameraNews)), default=0)
        before = list(waiting)[:last]
        for each in before:
            if not isinstance(each, CameraNews):
                waiting.remove(each)
        return [each for each in before if isinstance(each, Announced)]

    def empty(self, camera: str) -> list[Announced]:
        """Forget all that waits of a camera; returns the frames of it."""
        waiting, self._waiting[camera] = self._waiting[camera], deque()
        return [each for each in waiting if isinstance(each, Announced)]

    @staticmethod
    def _take_older(waiting: deque[Announced | Held | CameraNews]) -> Announced | None:
        """Take away what a newer frame makes needless."""
        older = next((each for each in waiting if isinstance(each, Announced)), None)
        for each in [each for each in waiting if not isinstance(each, CameraNews)]:
            waiting.remove(each)
        return older
