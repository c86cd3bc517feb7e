"""The words of the house: small frozen values that cross from room to room.

Outside ``infer/`` only source-frame pixels exist; on the wire only 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# numpy is imported where it is used: the publisher's process sees no picture, and saves 25 MB and 0.1 s


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from one camera.

    image : (height, width, 3) uint8, RGB, C-contiguous
    sequence : counts every frame the source delivered; a gap means dropped frames
    captured_ns : monotonic clock (for recordings: start + media time)
    captured_at : UTC
    resized : the same picture in the size a model wants, made ahead (by the thread that captured it, or by the camera);
        None = nobody has
    """

    image: NDArray[np.uint8]
    camera: str
    sequence: int
    captured_ns: int
    captured_at: datetime
    resized: NDArray[np.uint8] | None = None

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    @property
    def facts(self) -> FrameFacts:
        """All but the picture."""
        return FrameFacts(self.camera, self.sequence, self.captured_ns, self.captured_at, self.width, self.height)


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """A frame without its picture: what tracks, rules and messages have to know of it. The fields are the frame's."""

    camera: str
    sequence: int
    captured_ns: int
    captured_at: datetime
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """Raw model numbers with what is needed to read them: real = scale * (value - zero_point).

    scale 0.0 means the values are real numbers already.
    """

    values: NDArray[Any]
    scale: float = 0.0
    zero_point: int = 0
    name: str = ""

    def real(self) -> NDArray[np.float32]:
        """All values as float32, dequantised.

        Widens before subtracting: int8 arithmetic would wrap.
        """
        import numpy as np

        wide = self.values.astype(np.float32)
        return wide if self.scale == 0.0 else (wide - np.float32(self.zero_point)) * np.float32(self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a model saw in one frame, best first.

    boxes : (n, 4) float32, x1, y1, x2, y2 in pixels, x2/y2 exclusive
    scores : (n,) float32, 0..1, descending
    class_ids : (n,) int32
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.class_ids.shape != (n,):
            raise ValueError(
                f"Detections: expected boxes ({n}, 4) and class_ids ({n},), "
                f"found {self.boxes.shape} and {self.class_ids.shape}"
            )

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls) -> Detections:
        import numpy as np

        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))

    def select(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Detections:
        """Those that a mask or an index array names, in that order."""
        return Detections(self.boxes[which], self.scores[which], self.class_ids[which])


class Box(msgspec.Struct, frozen=True, gc=False):
    """One box in source-frame pixels; x2 and y2 are exclusive.

    A struct, as Track is: one of each is made for every thing in every frame, and a frozen dataclass takes twenty
    times as long to make (3.1 instead of 0.13 microseconds for the two).
    """

    x1: float
    y1: float
    x2: float
    y2: float

    def normalised(self, *, width: int, height: int) -> tuple[float, float, float, float]:
        """The same box as 0..1 of a frame's size, cut off at its edges."""
        return (
            min(1.0, max(0.0, self.x1 / width)),
            min(1.0, max(0.0, self.y1 / height)),
            min(1.0, max(0.0, self.x2 / width)),
            min(1.0, max(0.0, self.y2 / height)),
        )


class Glimpse(msgspec.Struct, frozen=True, gc=False):
    """A sight of a thing before it was believed."""

    seen_ns: int
    box: Box
    score: float


class Track(msgspec.Struct, frozen=True, gc=False):
    """One thing followed over time. Only confirmed tracks leave ``track/``; ids are never reused.

    score : of the newest matched detection; top_score : the best so far
    frames : detections matched so far
    first_seen_ns, last_seen_ns : captured_ns of the first and the newest matched frame
    before : how it was seen before it was believed, oldest first; told once, with the first telling
    """

    track_id: int
    class_id: int
    label: str
    score: float
    top_score: float
    box: Box
    first_seen_ns: int
    last_seen_ns: int
    frames: int = 1
    stationary: bool = False
    before: tuple[Glimpse, ...] = ()


class EventType(StrEnum):
    """What can happen; the contract's own words (docs/messages.md)."""

    TRACK_START = "track_start"
    TRACK_UPDATE = "track_update"
    TRACK_END = "track_end"
    ZONE_ENTER = "zone_enter"
    ZONE_EXIT = "zone_exit"
    LINE_CROSS = "line_cross"
    DWELL = "dwell"
    COUNT = "count"
    ABSENCE = "absence"
    CAMERA_OFFLINE = "camera_offline"
    CAMERA_ONLINE = "camera_online"
    CAMERA_FROZEN = "camera_frozen"
    CAMERA_IMPAIRED = "camera_impaired"
    ACCELERATOR_LOST = "accelerator_lost"
    ACCELERATOR_BACK = "accelerator_back"
    MODEL_ROLLED_BACK = "model_rolled_back"
    GAP = "gap"
    SUMMARY = "summary"


class Severity(StrEnum):
    DETECTION = "detection"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class EventId:
    """The identity of an event: never reused, gaps are visible."""

    device: str
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of a rule, with what was found and what was asked."""

    condition: str
    value: float
    threshold: float


@dataclass(frozen=True, slots=True)
class RuleHit:
    name: str
    severity: Severity
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class LineCrossing:
    name: str
    direction: str  # "in" | "out"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened, before it is given an identity.

    happened_ns, happened_at : when it happened, which for an end is when the thing was last seen
    frame_sequence : of the frame it happened in
    reason : a code that says why, where something is wrong with a camera
    """

    type: EventType
    happened_ns: int
    happened_at: datetime
    frame_sequence: int
    track: Track | None = None
    zones: tuple[str, ...] = ()
    line: LineCrossing | None = None
    rule: RuleHit | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How many of a label are there now.

    zone : None = in the whole picture
    """

    label: str
    count: int
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class LineCount:
    """How often a line was crossed each way.

    since_ms : Unix time in milliseconds at which the counting began
    """

    line: str
    entered: int
    left: int
    since_ms: int


Standing = Occupancy | LineCount
"""What holds until the next one is told; the last word is the only one that counts."""


@dataclass(frozen=True, slots=True)
class EventTime:
    """When, and how far to trust it."""

    wall_ms: int
    monotonic_ms: int
    boot_id: str
    synced: bool
    uncertainty_ms: int | None = None


@dataclass(frozen=True, slots=True)
class FrameSize:
    sequence: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ModelRef:
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Milliseconds each stage of one frame took; ``capture`` is the age of the frame when work on it began."""

    capture: float = 0.0
    preprocess: float = 0.0
    infer: float = 0.0
    decode: float = 0.0

    @property
    def total(self) -> float:
        return self.capture + self.preprocess + self.infer + self.decode


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What a model saw in one frame: with it the picture has done its duty.

    detections : in the frame's pixels
    model, backend : what looked
    is_held : nothing has moved, so nobody looked: what was seen last is seen still
    """

    frame: FrameFacts
    detections: Detections
    times: StageTimes
    model: ModelRef
    backend: str
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class LostEvents:
    """Earlier events that will not come, told by a gap or a summary.

    ranges : first and last number, both included; last None = to the end of the epoch
    since_wall_ms : when the minute began that a summary stands for; None in a gap
    """

    epoch: str
    ranges: tuple[tuple[int, int | None], ...]
    cause: str
    count: int
    since_wall_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, ready to be told.

    label : of what a summary stands for; where something is tracked its label counts
    """

    id: EventId
    camera: str
    occurrence: Occurrence
    time: EventTime
    frame: FrameSize | None = None
    model: ModelRef | None = None
    backend: str = "cpu"
    latency: StageTimes = field(default_factory=StageTimes)
    replayed: bool = False
    label: str | None = None
    lost: LostEvents | None = None

    @property
    def severity(self) -> Severity:
        """A rule's word; without one, news of the device itself matter, and a track's life does not."""
        occurrence = self.occurrence
        if occurrence.rule is not None:
            return occurrence.rule.severity
        return Severity.DETECTION if occurrence.track is not None else Severity.ALERT


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out; it knows no Event.

    expiry_s : the broker may drop it after this long; None = never
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    expiry_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage(Message):
    """An event as a message, with what the outbox has to know of it."""

    id: EventId
    severity: Severity
    camera: str
    label: str = ""
    happened_wall_ms: int = 0


def as_detections(boxes: Sequence[Sequence[float]], scores: Sequence[float], class_ids: Sequence[int]) -> Detections:
    """Detections from plain numbers: for fakes, tests and examples."""
    import numpy as np

    return Detections(
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(scores, np.float32),
        np.asarray(class_ids, np.int32),
    )
