"""A camera's process for tests: the real one around a source that does as its part says, down to hanging for good."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from edge.core.clock import SystemClock
from edge.core.errors import RecordingError, SourceError
from edge.core.protocols import Clock
from edge.core.values import Frame
from edge.service import capture_letters as letters
from edge.service.capturing import Capturing
from edge.service.channel import Channel
from edge.service.inside import first_frame
from edge.service.shared_frames import SharedFrames

_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Part(msgspec.Struct, frozen=True):
    """What the source does.

    count : frames until it ends; None = for ever
    every_s : between two frames
    mishap : what happens at the frame number ``at``: "hang", "hang closing", "die", "unplugged", "unreadable",
        "nonsense", "no state", "no text"; ends with "" none
    once : a file that is made when the mishap happens, so that it does not happen again
    """

    count: int | None = None
    every_s: float = 0.01
    mishap: str = ""
    at: int = 3
    once: str | None = None
    size: tuple[int, int] = (32, 24)


class ActingSource:
    """Frames whose every pixel is their number, so that a picture tells which frame it belongs to."""

    def __init__(self, part: Part, camera: str, channel: Channel, clock: Clock) -> None:
        self._part = part
        self._camera = camera
        self._channel = channel
        self._clock = clock
        self._sequence = -1
        self._hangs_closing = False

    def open(self) -> None:
        """Always there."""

    def read(self) -> Frame | None:
        part = self._part
        self._sequence += 1
        if self._sequence == part.count:
            return None
        if self._sequence == part.at and part.mishap and not (part.once and Path(part.once).exists()):
            self._suffer()
        self._clock.sleep(part.every_s)
        image = np.full((part.size[1], part.size[0], 3), self._sequence % 251, np.uint8)
        return Frame(image, self._camera, self._sequence, self._clock.monotonic_ns(), _AT)

    def close(self) -> None:
        if self._hangs_closing:
            hang()

    def _suffer(self) -> None:
        if self._part.once:
            Path(self._part.once).touch()
        match self._part.mishap:
            case "hang":
                hang()
            case "hang closing":
                self._hangs_closing = True
            case "die":
                import os

                os.kill(os.getpid(), 9)
            case "unplugged":
                raise SourceError("unplugged")
            case "unreadable":
                raise RecordingError("not a video")
            case "nonsense":
                self._channel.send(b"\xc1")
            case "no state":
                self._channel.send(letters.encode(letters.Told("asleep")))
            case "no text":
                self._channel.send(letters.encode(letters.Phase("zzz")).replace(b"zzz", b"\xff\xff\xff"))


def hang() -> None:
    """For good, as a driver does."""
    import threading

    threading.Event().wait()


def main(channel: Channel) -> None:
    clock = SystemClock()
    begin = letters.read_by_capture(first_frame(channel, clock))
    assert isinstance(begin, letters.Begin)
    part = msgspec.msgpack.decode(begin.setup, type=Part)
    Capturing(
        channel,
        lambda waiting: ActingSource(part, begin.camera, channel, waiting),
        SharedFrames(channel.descriptors[begin.frames]),
        camera=begin.camera,
        clock=clock,
    ).live()
