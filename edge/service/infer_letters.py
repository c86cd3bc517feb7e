"""What the service and the process that runs the model say to each other."""

from __future__ import annotations

from datetime import datetime

import msgspec

from edge.core.glance import Place
from edge.infer.golden import Golden
from edge.service.announced import Announced
from edge.service.trouble import Trouble

Corners = tuple[float, float, float, float]


class Begin(msgspec.Struct, frozen=True, tag=True):
    """The first word.

    frames : which of the channel's descriptors is each camera's shared memory
    setup : for who makes the detector
    """

    frames: dict[str, int]
    setup: bytes
    log_level: int


class Look(msgspec.Struct, frozen=True, tag=True):
    """Look at the frame in a slot; it is lent until the answer.

    is_replaceable : a newer frame of the camera takes its place while it waits
    small : (width, height) of the picture made small ahead, behind the frame
    has_picture : whether the frame itself is there; else there is the small one alone
    moving : where in it something moves
    """

    job: int
    camera: str
    slot: int
    sequence: int
    captured_ns: int
    captured_at: datetime
    width: int
    height: int
    is_replaceable: bool
    small: tuple[int, int] | None = None
    has_picture: bool = True
    moving: tuple[Place, ...] = ()


class Tune(msgspec.Struct, frozen=True, tag=True):
    """Let everything from this score on through, from the next frame on."""

    threshold: float


class SelfTest(msgspec.Struct, frozen=True, tag=True):
    """Run the model on the golden picture.

    expected : what it has to give; None = nobody knows yet
    is_own : recorded from this very file on this backend
    """

    expected: Golden | None = None
    is_own: bool = True


class Exercise(msgspec.Struct, frozen=True, tag=True):
    """Run on what the input holds, again and again, and look at nothing: what the runtime alone can do."""

    seconds: float


class Picture(msgspec.Struct, frozen=True, tag=True):
    """Make a picture of a frame that was looked at, if it is still at hand.

    hidden : boxes in its pixels that are to be made unrecognisable, beside what the model found there
    """

    camera: str
    sequence: int
    hidden: tuple[Corners, ...] = ()


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The model runs.

    runtime : its name and version
    run_ms : what one run took, the first one, which is the slowest
    """

    model: str
    sha256: str
    backend: str
    runtime: str
    run_ms: float


class Cannot(msgspec.Struct, frozen=True, tag=True):
    """The model can't be made to run; the process ends after this word."""

    trouble: Trouble


class Found(msgspec.Struct, frozen=True, tag=True):
    """The answer to a Look.

    boxes, scores, class_ids : the arrays of Detections, byte for byte
    times : milliseconds: capture, preprocess, infer, decode
    rejected : boxes that were none
    """

    job: int
    boxes: bytes
    scores: bytes
    class_ids: bytes
    times: tuple[float, float, float, float]
    rejected: int = 0


class Skipped(msgspec.Struct, frozen=True, tag=True):
    """The answer to a Look whose place a newer frame took."""

    job: int


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The answer to a Look: the run failed. The process ends after this word."""

    job: int
    words: str


class Tested(msgspec.Struct, frozen=True, tag=True):
    """The answer to a SelfTest.

    fault : what is wrong, in words
    golden : what this file gave, where nothing is wrong
    twin_golden : what its CPU version gave, where nobody knew
    """

    infer_ms: float = 0.0
    fault: str | None = None
    golden: Golden | None = None
    twin_golden: Golden | None = None


class Exercised(msgspec.Struct, frozen=True, tag=True):
    """The answer to an Exercise.

    runs_ms : of each run
    cpu_s : CPU time of the whole process meanwhile
    """

    runs_ms: list[float]
    seconds: float
    cpu_s: float


class Pictured(msgspec.Struct, frozen=True, tag=True):
    """The answer to a Picture. jpeg : empty = the frame is gone"""

    camera: str
    sequence: int
    jpeg: bytes


ToInfer = Begin | Look | Tune | SelfTest | Exercise | Picture
FromInfer = Ready | Cannot | Found | Skipped | Failed | Tested | Exercised | Pictured

encode = msgspec.msgpack.Encoder().encode
read_by_infer = msgspec.msgpack.Decoder(ToInfer).decode
read_by_service = msgspec.msgpack.Decoder(FromInfer).decode


def look(job: int, announced: Announced, *, is_replaceable: bool) -> Look:
    """What is said of a frame that a camera's process has announced."""
    frame = announced.frame
    return Look(
        job,
        frame.camera,
        announced.slot,
        frame.sequence,
        frame.captured_ns,
        frame.captured_at,
        frame.width,
        frame.height,
        is_replaceable,
        announced.small,
        announced.has_picture,
        () if announced.glance is None else announced.glance.moving,
    )
