"""USB and other V4L2 cameras as a source."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from edge.capture.moments import DeviceTime, Moment
from edge.capture.opencv_stream import CaptureOpener, OpenCvStream, Property, fourcc, fourcc_name, open_capture
from edge.capture.settings import DEFAULT_FPS, SourceSettings
from edge.capture.stepped import SteppedSource
from edge.core.errors import Away, SourceError
from edge.core.looking import why_missing
from edge.core.protocols import Clock
from edge.core.values import Frame

logger = logging.getLogger(__name__)

_DEFAULT_SIZE = (640, 480)
# MJPG first: YUYV at 1280x720 fills USB 2 at 10 frames/s.
_FORMATS = ("MJPG", "YUYV")
# One being filled while one is read: at most one frame waits. With a single one most cameras halve their rate.
_BUFFERS = 2
_MAX_UNREADABLE = 30
_NEARLY = 0.9  # of a time-out: whatever took so long took it all


class V4l2Source(SteppedSource):
    """A camera behind /dev/videoN.

    Asks for size, rate and MJPG (else YUYV), reads back what the driver made of it, and warns where that differs.
    A frame's time is the driver's own stamp where it has one.
    """

    def __init__(
        self, device: Path, settings: SourceSettings, clock: Clock, *, opener: CaptureOpener = open_capture
    ) -> None:
        self._device = device
        self._settings = settings
        self._opener = opener
        self._clock = clock
        self._time = DeviceTime(clock, settings.mishaps)
        self._stream: OpenCvStream | None = None
        self._sequence = -1
        self._unreadable = 0
        self._moment: Moment | None = None

    def open(self) -> None:
        """Take the device; raises SourceError when it is missing, forbidden, busy or no camera."""
        self.close()
        self._check_device()
        stream = OpenCvStream.of_device(str(self._device), self._opener, read_timeout_s=self._settings.read_timeout_s)
        if not stream.is_open:
            stream.close()
            raise SourceError(
                f"{self._device}: expected a camera, but it does not open: another program holds it, or it is not "
                f"a camera (metadata nodes look alike); see who: fuser -v {self._device}",
                Away.REFUSED,
            )
        self._negotiate(stream)
        self._stream = stream
        self._unreadable = 0

    def step(self) -> int | None:
        if self._stream is None:
            raise SourceError(f"{self._device}: the camera is not open; open it again")
        started_ns = self._clock.monotonic_ns()
        if not self._stream.step():
            is_late = self._clock.monotonic_ns() - started_ns >= self._settings.read_timeout_s * 1e9 * _NEARLY
            self.close()
            raise SourceError(
                f"{self._device}: no frame within {self._settings.read_timeout_s:g} s, or the camera was unplugged; "
                "check its cable and power",
                Away.HUNG if is_late and not why_missing(self._device) else Away.LOST,
            )
        self._sequence += 1
        # OpenCV hands out the driver's buffer timestamp under this name; 0 before the first frame.
        stamp_ms = self._stream.get(Property.POSITION_MS)
        self._moment = self._time.stamp(round(stamp_ms * 1e6) if stamp_ms > 0 else None)
        return self._moment.captured_ns

    def picture(self) -> Frame | None:
        if self._stream is None or self._moment is None:
            return None
        image = self._stream.picture(None)
        if image is None:
            self._count_unreadable()
            return None
        self._unreadable = 0
        return Frame(image, self._settings.camera, self._sequence, self._moment.captured_ns, self._moment.captured_at)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._moment = None

    def _check_device(self) -> None:
        if why_missing(self._device):
            present = ", ".join(sorted(str(path) for path in Path("/dev").glob("video[0-9]*"))) or "none"
            raise SourceError(
                f"{self._device}: expected a camera, found no such device; plugged in? devices here: {present}",
                Away.ABSENT,
            )
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise SourceError(
                f"{self._device}: this user may not use the camera; run: sudo usermod -aG video $USER, "
                "then log in again",
                Away.DENIED,
            )

    def _negotiate(self, stream: OpenCvStream) -> None:
        size = self._settings.size or _DEFAULT_SIZE
        rate = self._settings.fps or DEFAULT_FPS
        for name in _FORMATS:
            # The format comes first: size and rate are checked against it.
            stream.ask(Property.FOURCC, fourcc(name))
            if fourcc_name(stream.get(Property.FOURCC)) == name:
                break
        stream.ask(Property.WIDTH, size[0])
        stream.ask(Property.HEIGHT, size[1])
        stream.ask(Property.RATE, rate)
        stream.ask(Property.BUFFERS, _BUFFERS)
        got = int(stream.get(Property.WIDTH)), int(stream.get(Property.HEIGHT))
        got_rate = stream.get(Property.RATE)
        if got != size:
            logger.warning(
                "%s: asked for %dx%d, the camera gives %dx%d; its sizes: v4l2-ctl -d %s --list-formats-ext",
                self._device, *size, *got, self._device,
            )  # fmt: skip
        logger.info(
            "%s: %dx%d %s at %.1f frames/s", self._device, *got, fourcc_name(stream.get(Property.FOURCC)), got_rate
        )

    def _count_unreadable(self) -> None:
        self._unreadable += 1
        self._settings.mishaps.unreadable += 1
        if self._unreadable >= _MAX_UNREADABLE:
            self.close()
            raise SourceError(
                f"{self._device}: {_MAX_UNREADABLE} pictures in a row can't be decoded; try another USB port or cable",
                Away.UNREADABLE,
            )
