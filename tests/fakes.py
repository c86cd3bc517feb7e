"""First-class fakes of the doors: they keep the door's promises, and are told what happens next."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable

from edge.core.errors import EdgeError
from edge.core.values import Detections, Frame, Message, ModelRef, Sighting, StageTimes
from edge.service.letters import Standing
from edge.service.lookout import Condition
from edge.service.news import BackendNews, CameraNews, Thinking
from edge.service.progress import Stage
from tests.builders import make_frame

Step = Frame | EdgeError | None


class FakeSource:
    """Plays a script: frames are read, errors raised, None ends it. Opening again goes on where it stopped."""

    def __init__(self, script: Iterable[Step], *, open_errors: Iterable[EdgeError] = ()) -> None:
        self._script = iter(list(script))
        self._open_errors = iter(list(open_errors))
        self.opened = 0
        self.closed = 0

    def open(self) -> None:
        self.opened += 1
        error = next(self._open_errors, None)
        if error is not None:
            raise error

    def read(self) -> Frame | None:
        step = next(self._script, None)
        if isinstance(step, EdgeError):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1


class FakeDetector:
    """Sees what a function of the frame says."""

    def __init__(self, see: Callable[[Frame], Detections] = lambda _frame: Detections.empty()) -> None:
        self._see = see
        self.times = StageTimes(capture=1.0, preprocess=1.0, infer=10.0, decode=1.0)
        self.frames: list[int] = []

    def detect(self, frame: Frame) -> Detections:
        self.frames.append(frame.sequence)
        return self._see(frame)

    def see(self, frame: Frame) -> Sighting:
        return Sighting(frame.facts, self.detect(frame), self.times, ModelRef("m", "0" * 64), "cpu")


class FakeOutlet:
    """Keeps every message; its thread waits until it is closed."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.roused = 0
        self._closed = threading.Event()

    def open(self) -> None:
        self._closed.clear()

    def run(self) -> None:
        self._closed.wait()

    def send(self, message: Message) -> None:
        self.messages.append(message)

    def rouse(self) -> None:
        self.roused += 1

    def tick(self) -> None:
        """No losses to tell of."""

    def standing(self) -> Standing:
        return Standing()

    def stages(self) -> tuple[Stage, ...]:
        return ()

    def hurry(self) -> None:
        self.is_hurried = True

    def close(self, *, is_hurried: bool) -> None:
        self._closed.set()


class FakeSight:
    """Plays a script of sightings and news; what is callable in it is done on the way."""

    def __init__(
        self,
        script: Iterable[Sighting | CameraNews | BackendNews | Callable[[], object]],
        *,
        error: EdgeError | None = None,
        stages: tuple[Stage, ...] = (),
    ) -> None:
        self.play(script)
        self._stages = stages
        self._error = error
        self._is_over = False
        self.drops: Counter[str] = Counter()
        self.thinking = Thinking()
        self.calls: list[str] = []

    def play(self, script: Iterable[Sighting | CameraNews | Callable[[], object]]) -> None:
        self._script = iter(list(script))

    @property
    def conditions(self) -> dict[str, Condition]:
        return {}

    @property
    def is_ready(self) -> bool:
        if self._error is not None:
            raise self._error
        return True

    @property
    def is_quiet(self) -> bool:
        return self._is_over

    def stages(self) -> tuple[Stage, ...]:
        return self._stages

    def open(self) -> None:
        self.calls.append("open")

    def wake(self) -> None:
        """Nobody waits."""

    def take(self, timeout_s: float) -> Sighting | CameraNews | BackendNews | None:
        step = next(self._script, None)
        if step is None:
            self._is_over = True
        if step is None or isinstance(step, Sighting | CameraNews | BackendNews):
            return step
        step()
        return None

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")


def seen_in(frame: Frame, detections: Detections | None = None) -> Sighting:
    """What a model saw in a frame: nothing, unless told otherwise."""
    found = Detections.empty() if detections is None else detections
    return FakeDetector(lambda _frame: found).see(frame)


def frames_of(count: int, *, camera: str = "yard", fps: float = 10.0) -> list[Frame]:
    """So many frames, evenly spaced in time."""
    return [make_frame(camera=camera, sequence=number, at_s=number / fps) for number in range(count)]
