"""What the service and a camera's process say to each other."""

from __future__ import annotations

from datetime import datetime

import msgspec

from edge.core.glance import Glance
from edge.service.trouble import Trouble


class Begin(msgspec.Struct, frozen=True, tag=True):
    """The first word.

    frames : which of the channel's descriptors is the camera's shared memory
    setup : for who makes the source; a login may be in it, so it travels here and not in arguments
    look : see Regard
    """

    camera: str
    frames: int
    setup: bytes
    log_level: int
    look: bytes = b""

    def __repr__(self) -> str:
        return f"Begin(camera={self.camera!r})"  # never the login


class Grant(msgspec.Struct, frozen=True, tag=True):
    """This slot may be written into, once."""

    slot: int


class Tighten(msgspec.Struct, frozen=True, tag=True):
    """So many times more must change than usual before a frame asks to be looked at."""

    factor: float


class Regard(msgspec.Struct, frozen=True, tag=True):
    """How its pictures are looked at, from the next frame on: for who makes what looks at them."""

    look: bytes


class Leave(msgspec.Struct, frozen=True, tag=True):
    """Close the source and go."""


class Announce(msgspec.Struct, frozen=True, tag=True):
    """A frame is in a slot, which is given up with this word.

    small : (width, height) of the picture made small ahead, which lies behind the frame; None = there is none
    glance : what a cheap look at it found, or, where nothing is decided by that, at the frame before it; None = nobody
        has looked
    has_picture : whether the frame itself is there; else there is the small one alone
    """

    slot: int
    sequence: int
    captured_ns: int
    captured_at: datetime
    width: int
    height: int
    small: tuple[int, int] | None = None
    glance: Glance | None = None
    has_picture: bool = True


class Told(msgspec.Struct, frozen=True, tag=True):
    """The camera's state has changed. state : a CameraState's word"""

    state: str
    trouble: Trouble | None = None


class Phase(msgspec.Struct, frozen=True, tag=True):
    """What the process is about to do, or still does: a sign of life.

    name : "opening" and "reading" may hang in a library, each within its own time; "resting" is a wait of our own
    """

    name: str


ToCapture = Begin | Grant | Tighten | Regard | Leave
FromCapture = Announce | Told | Phase

encode = msgspec.msgpack.Encoder().encode
read_by_capture = msgspec.msgpack.Decoder(ToCapture).decode
read_by_service = msgspec.msgpack.Decoder(FromCapture).decode
