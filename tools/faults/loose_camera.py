"""The process of a camera on a loose cable: unplugged or hanging after every few frames."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np

from edge.capture.glancing import Glancer
from edge.core.clock import SystemClock
from edge.core.errors import SourceError
from edge.core.protocols import Clock
from edge.core.values import Frame
from edge.service import camera
from edge.service import capture_letters as letters
from edge.service.capturing import Capturing, Regard
from edge.service.channel import Channel
from edge.service.inside import first_frame
from edge.service.shared_frames import SharedFrames

_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Loose(msgspec.Struct, frozen=True):
    """frames : until it is unplugged; hangs : it hangs instead; rest_s : until it is looked for again, as it flaps"""

    frames: int = 5
    hangs: bool = False
    rest_s: float | None = None


class LooseSource:
    """A camera on a loose cable."""

    def __init__(self, loose: Loose, camera: str, clock: Clock) -> None:
        self._loose, self._camera, self._clock = loose, camera, clock
        self._left, self._sequence = 0, -1
        self._random = np.random.default_rng(1)

    def open(self) -> None:
        self._left = self._loose.frames

    def read(self) -> Frame | None:
        if self._left == 0 and self._loose.hangs:
            self._clock.sleep(1e9)
        if self._left == 0:
            raise SourceError("unplugged")
        self._left, self._sequence = self._left - 1, self._sequence + 1
        self._clock.sleep(0.01)
        image = self._random.integers(0, 255, (240, 320, 3), dtype=np.uint8)
        return Frame(image, self._camera, self._sequence, self._clock.monotonic_ns(), _AT)

    def close(self) -> None:
        """Nothing is held."""


def main_of_camera(channel: Channel, loose: Loose, begin: letters.Begin) -> None:
    clock = SystemClock()
    source = LooseSource(loose, begin.camera, clock)  # not the waiting clock: a driver that hangs says nothing
    frames = SharedFrames(channel.descriptors[begin.frames])
    if loose.rest_s is not None:
        camera._LONG_WAIT_S = loose.rest_s
    Capturing(channel, lambda _: source, frames, camera=begin.camera, clock=clock, regard=_regard).live()


def _regard(_look: bytes) -> Regard:
    return Regard(Glancer())


def main(channel: Channel) -> None:
    """Where the camera's process begins."""
    begin = letters.read_by_capture(first_frame(channel, SystemClock()))
    assert isinstance(begin, letters.Begin)
    main_of_camera(channel, msgspec.msgpack.decode(begin.setup, type=Loose), begin)
