"""The page to read first: one frame in, messages out. No thread, no queue, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.core.protocols import Clock
from edge.core.values import (
    Detections,
    Event,
    Frame,
    FrameSize,
    Message,
    ModelRef,
    Occurrence,
    StageTimes,
    Standing,
    Track,
)
from edge.service.identity import Identities, event_time


class Detector(Protocol):
    """What the pipeline needs of ``edge.infer``."""

    times: StageTimes

    def detect(self, frame: Frame) -> Detections: ...


class Wanted(Protocol):
    """What the camera's configuration lets through."""

    def select(self, detections: Detections, frame: Frame) -> Detections: ...

    def confident(self, detections: Detections) -> Detections: ...


class Tracker(Protocol):
    def change_start_scores(self, start_scores: tuple[float, ...]) -> None: ...

    def update(self, detections: Detections, captured_ns: int) -> tuple[Track, ...]: ...

    def forget(self) -> None: ...


class Rules(Protocol):
    def update(self, tracks: tuple[Track, ...], frame: Frame) -> list[Occurrence]: ...

    def finish(self) -> list[Occurrence]: ...

    def changes(self) -> list[Standing]: ...


@dataclass(frozen=True, slots=True)
class Telling:
    """How what was found becomes messages.

    standing : counts that hold until the next one
    detections : None unless the configuration asks for every inference
    """

    event: Callable[[Event], Message]
    standing: Callable[[Standing], Message]
    detections: Callable[[Frame, Detections, StageTimes], Message] | None = None


class Pipeline:
    """One camera's path from a frame to messages."""

    def __init__(
        self,
        *,
        camera: str,
        detector: Detector,
        wanted: Wanted,
        tracker: Tracker,
        rules: Rules,
        telling: Telling,
        identities: Identities,
        model: ModelRef,
        backend: str,
        clock: Clock,
    ) -> None:
        self._camera = camera
        self._detector = detector
        self._wanted = wanted
        self._tracker = tracker
        self._rules = rules
        self._telling = telling
        self._identities = identities
        self._model = model
        self._backend = backend
        self._clock = clock
        self._size: tuple[int, int] | None = None

    @property
    def times(self) -> StageTimes:
        """Of the newest frame."""
        return self._detector.times

    def process(self, frame: Frame) -> list[Message]:
        """All that this frame gives reason to say."""
        messages = self._take_size(frame)
        detections = self._wanted.select(self._detector.detect(frame), frame)
        tracks = self._tracker.update(detections, frame.captured_ns)
        occurrences = self._rules.update(tracks, frame)
        messages += [self._tell(occurrence) for occurrence in occurrences] + self._tell_changes()
        if self._telling.detections:
            shown = self._wanted.confident(detections)
            messages.append(self._telling.detections(frame, shown, self._detector.times))
        return messages

    def change_start_scores(self, start_scores: tuple[float, ...]) -> None:
        """What starts a track, by class id, from the next frame on; tracks that are there go on."""
        self._tracker.change_start_scores(start_scores)

    def finish(self) -> list[Message]:
        """The recording has ended, or the camera is gone: so are the tracks. What comes later is somebody new."""
        self._tracker.forget()
        return [self._tell(occurrence) for occurrence in self._rules.finish()] + self._tell_changes()

    def tell(self, occurrence: Occurrence) -> Message:
        """Say something about the camera itself."""
        return self._tell(occurrence)

    def _take_size(self, frame: Frame) -> list[Message]:
        """Boxes are pixels: where a frame has another size than the one before, nothing of the past fits into it."""
        before, size = self._size, (frame.width, frame.height)
        ends = self.finish() if before is not None and before != size else []
        self._size = size
        return ends

    def _tell_changes(self) -> list[Message]:
        return [self._telling.standing(standing) for standing in self._rules.changes()]

    def _tell(self, occurrence: Occurrence) -> Message:
        seen, size = occurrence.track is not None, self._size
        event = Event(
            id=self._identities.next(),
            camera=self._camera,
            occurrence=occurrence,
            time=event_time(occurrence, self._clock),
            frame=FrameSize(occurrence.frame_sequence, *size) if seen and size else None,
            model=self._model if seen else None,
            backend=self._backend,
            latency=self._detector.times if seen else StageTimes(),
        )
        return self._telling.event(event)
