"""The words of the house: small frozen values that cross from room to room.

Outside ``infer/`` only source-frame pixels exist; on the wire only 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.core.glance import Place

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
    is_blank : the picture is in ``resized`` alone, as nobody needs more of it; ``image`` has its size and shows nothing
    moving : where in it something moves, as parts of the picture; see ``edge.core.glance``
    """

    image: NDArray[np.uint8]
    camera: str
    sequence: int
    captured_ns: int
    captured_at: datetime
    resized: NDArray[np.uint8] | None = None
    is_blank: bool = False
    moving: tuple[Place, ...] = ()

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


class Tensor(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Raw model numbers with what is needed to read them: real = scale * (value - zero_point).

    scale 0.0 means the values are real numbers already. A struct for the sake of its making, as Box is: each output is
    made one between two runs, while the model waits.
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
class Message:
    """What goes out; it knows no Event.

    expiry_s : the broker may drop it after this long; None = never
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    expiry_s: int | None = None


def as_detections(boxes: Sequence[Sequence[float]], scores: Sequence[float], class_ids: Sequence[int]) -> Detections:
    """Detections from plain numbers: for fakes, tests and examples."""
    import numpy as np

    return Detections(
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(scores, np.float32),
        np.asarray(class_ids, np.int32),
    )
