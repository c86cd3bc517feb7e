"""RTSP cameras, and HTTP streams, as a source."""

from __future__ import annotations

import logging

from edge.capture.moments import DeviceTime, Moment
from edge.capture.opencv_stream import CaptureOpener, OpenCvStream, Property, open_capture
from edge.capture.settings import MAX_PIXELS, SourceSettings
from edge.capture.spec import redacted
from edge.capture.stepped import SteppedSource
from edge.capture.stream_patience import StreamPatience
from edge.core.errors import Away, SourceError
from edge.core.protocols import Clock
from edge.core.values import Frame

logger = logging.getLogger(__name__)

# A stream that decodes nothing for so long (4 s at 25 fps, two usual key-frame distances) will not recover alone.
_MAX_UNREADABLE = 100
_NEARLY = 0.9  # of a time-out: whatever took so long took it all


class NetworkStreamSource(SteppedSource):
    """A camera on the network: RTSP over TCP, or MJPEG and the like over HTTP.

    A frame's time is its arrival: cameras stamp with clocks of their own. Every wait is bounded by the settings'
    time-outs. A lost stream raises SourceError once and is closed; ``open`` connects afresh, and the sequence goes on.
    """

    def __init__(
        self, url: str, settings: SourceSettings, clock: Clock, *, opener: CaptureOpener = open_capture
    ) -> None:
        self._url = url
        self._name = redacted(url)
        self._settings = settings
        self._clock = clock
        self._opener = opener
        self._patience = StreamPatience(settings.read_timeout_s)
        self._limit_s = self._patience.limit_s
        self._time = DeviceTime(clock, settings.mishaps)
        self._stream: OpenCvStream | None = None
        self._sequence = -1
        self._unreadable = 0
        self._moment: Moment | None = None

    def open(self) -> None:
        """Connect; raises SourceError within the open time-out."""
        self.close()
        started_ns = self._clock.monotonic_ns()
        stream = OpenCvStream.of_url(
            self._url,
            self._opener,
            open_timeout_s=self._settings.open_timeout_s,
            read_timeout_s=self._patience.limit_s,
        )
        if not stream.is_open:
            stream.close()
            reason, words = self._reason(started_ns)
            raise SourceError(f"{self._name}: expected a stream, {words}", reason)
        width, height = stream.get(Property.WIDTH), stream.get(Property.HEIGHT)
        if width * height > MAX_PIXELS:
            stream.close()
            raise SourceError(
                f"{self._name}: expected at most {MAX_PIXELS // 1_000_000} megapixels, found {width:.0f}x{height:.0f}",
                Away.UNSUITABLE,
            )
        logger.info("%s: connected, %.0fx%.0f", self._name, width, height)
        self._stream = stream
        self._limit_s = self._patience.limit_s
        self._patience.connected()
        self._unreadable = 0

    def step(self) -> int | None:
        if self._stream is None:
            raise SourceError(f"{self._name}: the stream is not open; open it again")
        started_ns = self._clock.monotonic_ns()
        if not self._stream.step():
            waited_s, limit_s = (self._clock.monotonic_ns() - started_ns) / 1e9, self._limit_s
            self.close()
            is_late = waited_s >= _NEARLY * limit_s
            if is_late:
                self._patience.lost()
            what = f"no frame within {limit_s:g} s" if is_late else "the other side ended it"
            raise SourceError(
                f"{self._name}: the stream is lost: {what}; check the camera and its network",
                Away.HUNG if is_late else Away.LOST,
            )
        self._sequence += 1
        self._moment = self._time.stamp(None)
        self._patience.frame(self._clock.monotonic_ns())
        return self._moment.captured_ns

    def picture(self) -> Frame | None:
        if self._stream is None or self._moment is None:
            return None
        image = self._stream.picture(self._settings.size)
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

    def _count_unreadable(self) -> None:
        self._unreadable += 1
        self._settings.mishaps.unreadable += 1
        if self._unreadable >= _MAX_UNREADABLE:
            self.close()
            raise SourceError(
                f"{self._name}: {_MAX_UNREADABLE} frames in a row can't be decoded; restart the camera", Away.UNREADABLE
            )

    def _reason(self, started_ns: int) -> tuple[Away, str]:
        limit_s = self._settings.open_timeout_s
        waited_s = (self._clock.monotonic_ns() - started_ns) / 1e9
        if waited_s >= _NEARLY * limit_s:
            return Away.ABSENT, f"but nothing answered within {limit_s:g} s; is the camera on, and its address right?"
        return (
            Away.REFUSED,
            "but it was refused; check the address, the path, the user and the password, and that it is switched on",
        )
