"""Pictures of what is told: asked for where the pixels are, published per label, taken back when their time is up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.core.events import EventType, Occurrence
from edge.core.protocols import Clock
from edge.core.values import FrameFacts, Message, Track
from edge.service.infer_letters import Corners, Pictured

# A picture is about 50 kB: more often than that nobody looks.
_LEAST_BETWEEN_NS = 1_000_000_000
# An answer takes a frame's time; one that is this late does not come any more, such as when the process was ended.
_LONGEST_NS = 2_000_000_000
_NS_PER_HOUR = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Portrayal:
    """What may be seen of a camera.

    redact : labels that are made unrecognisable
    retain_hours : how long the broker keeps a picture; 0 = it is passed on and not kept
    labels : those of which there may be pictures from before
    """

    redact: frozenset[str]
    retain_hours: float
    labels: tuple[str, ...]


class Studio(Protocol):
    """The process that has the pixels."""

    def photograph(self, camera: str, sequence: int, hidden: tuple[Corners, ...]) -> bool:
        """Ask for a picture; False = it can't be asked just now."""

    def take_pictured(self) -> Pictured | None:
        """The next picture that has come."""


class Snapshots:
    """An errand of the service, and a witness of its pipelines.

    Parameters
    ----------
    topic : (camera, label) -> where its picture goes
    """

    def __init__(
        self, cameras: Mapping[str, Portrayal], studio: Studio, topic: Callable[[str, str], str], clock: Clock
    ) -> None:
        self._cameras = cameras
        self._studio = studio
        self._topic = topic
        self._clock = clock
        self._asked: dict[str, tuple[int, frozenset[str], int]] = {}
        self._taken_ns: dict[tuple[str, str], int] = {}
        self._kept_until_ns: dict[str, int] = {}

    def witness(self, occurrences: Iterable[Occurrence], tracks: Sequence[Track], frame: FrameFacts) -> None:
        """Ask for a picture of the frame if something worth one is in it."""
        camera, now_ns = frame.camera, self._clock.monotonic_ns()
        portrayal = self._cameras.get(camera)
        if portrayal is None:
            return
        labels = self._due_labels(camera, _labels(occurrences, tracks), now_ns)
        pending = self._asked.get(camera)
        if not labels or (pending is not None and now_ns - pending[2] < _LONGEST_NS):
            return
        hidden = tuple(
            (track.box.x1, track.box.y1, track.box.x2, track.box.y2)
            for track in tracks
            if track.label in portrayal.redact
        )
        if self._studio.photograph(camera, frame.sequence, hidden):
            self._asked[camera] = (frame.sequence, labels, now_ns)

    def open(self) -> list[Message]:
        """Pictures of an earlier run are of unknown age: they go."""
        return [
            self._withdrawal(self._topic(camera, label))
            for camera, portrayal in self._cameras.items()
            for label in portrayal.labels
        ]

    def due(self) -> list[Message]:
        """Pictures that have come, and the end of those whose time is up."""
        now_ns = self._clock.monotonic_ns()
        messages = []
        while (pictured := self._studio.take_pictured()) is not None:
            messages += self._publish(pictured, now_ns)
        for topic in [topic for topic, until_ns in self._kept_until_ns.items() if now_ns >= until_ns]:
            del self._kept_until_ns[topic]
            messages.append(self._withdrawal(topic))
        return messages

    def _publish(self, pictured: Pictured, now_ns: int) -> list[Message]:
        asked = self._asked.get(pictured.camera)
        if asked is None or asked[0] != pictured.sequence:
            return []
        del self._asked[pictured.camera]
        if not pictured.jpeg:
            return []
        hours = self._cameras[pictured.camera].retain_hours
        messages = []
        for label in sorted(asked[1]):
            topic = self._topic(pictured.camera, label)
            self._taken_ns[pictured.camera, label] = now_ns
            if hours > 0.0:
                self._kept_until_ns[topic] = now_ns + round(hours * _NS_PER_HOUR)
            expiry_s = max(1, round(hours * 3600)) if hours > 0.0 else None
            messages.append(Message(topic, pictured.jpeg, qos=0, retain=hours > 0.0, expiry_s=expiry_s))
        return messages

    def _due_labels(self, camera: str, labels: set[str], now_ns: int) -> frozenset[str]:
        taken = self._taken_ns
        return frozenset(
            label
            for label in labels
            if (camera, label) not in taken or now_ns - taken[camera, label] >= _LEAST_BETWEEN_NS
        )

    def _withdrawal(self, topic: str) -> Message:
        return Message(topic, b"", qos=0, retain=True)


def _labels(occurrences: Iterable[Occurrence], tracks: Sequence[Track]) -> set[str]:
    """Of what has come, or what a rule speaks about, and is still there."""
    there = {track.track_id: track.label for track in tracks}
    return {
        there[each.track.track_id]
        for each in occurrences
        if each.track is not None
        and each.track.track_id in there
        and (each.rule is not None or each.type is EventType.TRACK_START)
    }
