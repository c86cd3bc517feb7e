"""The page to read first: what was seen in a frame in, messages out. No thread, no queue, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from edge.core.events import Event, Occurrence, Standing
from edge.core.protocols import Clock
from edge.core.values import Detections, FrameFacts, FrameSize, Message, Sighting, StageTimes, Track
from edge.service.identity import Identities, event_time


class Wanted(Protocol):
    """What the camera's configuration lets through."""

    def select(self, detections: Detections, frame: FrameFacts) -> Detections: ...

    def confident(self, detections: Detections) -> Detections: ...


class Tracker(Protocol):
    def change_start_scores(self, start_scores: tuple[float, ...]) -> None: ...

    def update(self, detections: Detections, captured_ns: int) -> tuple[Track, ...]: ...

    def forget(self) -> None: ...


class Rules(Protocol):
    def update(self, tracks: tuple[Track, ...], frame: FrameFacts) -> list[Occurrence]: ...

    def impair(self, *, is_impaired: bool) -> None: ...

    def finish(self) -> list[Occurrence]: ...

    def changes(self) -> list[Standing]: ...


Witness = Callable[[list[Occurrence], tuple[Track, ...], FrameFacts], None]


@dataclass(frozen=True, slots=True)
class Telling:
    """How what was found becomes messages.

    standing : counts that hold until the next one
    detections : None unless the configuration asks for every inference
    """

    event: Callable[[Event], Message]
    standing: Callable[[Standing], Message]
    detections: Callable[[Sighting], Message] | None = None


class Pipeline:
    """One camera's path from what was seen to messages."""

    def __init__(
        self,
        *,
        camera: str,
        wanted: Wanted,
        tracker: Tracker,
        rules: Rules,
        telling: Telling,
        identities: Identities,
        clock: Clock,
        witness: Witness = lambda _occurrences, _tracks, _frame: None,
    ) -> None:
        """
        Parameters
        ----------
        witness : is shown what is told of each frame, and who is there
        """
        self._camera = camera
        self._witness = witness
        self._wanted = wanted
        self._tracker = tracker
        self._rules = rules
        self._telling = telling
        self._identities = identities
        self._clock = clock
        self._newest: Sighting | None = None

    def tells_each(self, seen: Sighting) -> bool:
        """Whether something is said of this frame in any case."""
        return self._telling.detections is not None and not seen.is_held

    def process(self, seen: Sighting) -> Iterator[Message]:
        """All that this gives reason to say, each as soon as it is known: boxes wait for no track."""
        frame = seen.frame
        yield from self._take(seen)
        detections = self._wanted.select(seen.detections, frame)
        if self._telling.detections is not None and not seen.is_held:
            yield self._telling.detections(replace(seen, detections=self._wanted.confident(detections)))
        tracks = self._tracker.update(detections, frame.captured_ns)
        occurrences = self._rules.update(tracks, frame)
        self._witness(occurrences, tracks, frame)
        yield from [self._tell(occurrence) for occurrence in occurrences]
        yield from self._tell_changes()

    def change_start_scores(self, start_scores: tuple[float, ...]) -> None:
        """What starts a track, by class id, from the next frame on; tracks that are there go on."""
        self._tracker.change_start_scores(start_scores)

    def change(self, wanted: Wanted, telling: Telling) -> None:
        """Let other detections through, and tell otherwise, from the next frame on; tracks that are there go on."""
        self._wanted, self._telling = wanted, telling

    def impair(self, *, is_impaired: bool) -> None:
        """From the next frame on: whether the camera's picture can't be trusted to show who is there."""
        self._rules.impair(is_impaired=is_impaired)

    def finish(self) -> list[Message]:
        """The recording has ended, or the camera is gone: so are the tracks. What comes later is somebody new."""
        self._tracker.forget()
        return [self._tell(occurrence) for occurrence in self._rules.finish()] + self._tell_changes()

    def tell(self, occurrence: Occurrence) -> Message:
        """Say something about the camera itself."""
        return self._tell(occurrence)

    def _take(self, seen: Sighting) -> list[Message]:
        """Boxes are pixels: where a frame has another size than the one before, nothing of the past fits into it."""
        before = self._newest
        ends = self.finish() if before is not None and _size(before) != _size(seen) else []
        self._newest = seen
        return ends

    def _tell_changes(self) -> list[Message]:
        return [self._telling.standing(standing) for standing in self._rules.changes()]

    def _tell(self, occurrence: Occurrence) -> Message:
        seen = self._newest if occurrence.track is not None else None
        event = Event(
            id=self._identities.next(),
            camera=self._camera,
            occurrence=occurrence,
            time=event_time(occurrence, self._clock),
            frame=FrameSize(occurrence.frame_sequence, *_size(seen)) if seen else None,
            model=seen.model if seen else None,
            backend=self._newest.backend if self._newest else "cpu",
            latency=seen.times if seen else StageTimes(),
        )
        return self._telling.event(event)


def _size(seen: Sighting) -> tuple[int, int]:
    return seen.frame.width, seen.frame.height
