"""A video file as a source."""

from __future__ import annotations

import logging
import math
from pathlib import Path

from edge.capture.files import checked_file
from edge.capture.moments import MediaTime, Moment, RecordingTime
from edge.capture.opencv_stream import CaptureOpener, OpenCvStream, Property, open_capture
from edge.capture.settings import DEFAULT_FPS, MAX_PIXELS, SourceSettings
from edge.capture.stepped import SteppedSource
from edge.core.errors import RecordingError
from edge.core.protocols import Clock
from edge.core.values import Frame

logger = logging.getLogger(__name__)

_MAX_RATE = 1000.0  # containers without a rate claim things like 90000
_TAIL = 0.02  # sound may outlast the picture; only more than this missing is worth a warning


class VideoFileSource(SteppedSource):
    """Plays a file once, from its first frame to its last readable one.

    Times come from the container's timestamps, so files of variable rate keep theirs; where there are none,
    from the frame's number and the file's rate. Rotation written into the file by a telephone is applied.
    """

    def __init__(
        self, path: Path, settings: SourceSettings, clock: Clock, *, opener: CaptureOpener = open_capture
    ) -> None:
        self._path = path
        self._settings = settings
        self._opener = opener
        self._time = RecordingTime(clock)
        self._stream: OpenCvStream | None = None
        self._media = MediaTime(DEFAULT_FPS)
        self._rate = DEFAULT_FPS
        self._media_ns = 0
        self._sequence = -1
        self._moment: Moment | None = None
        self._has_first = False
        self._has_ended = False
        self._is_told = False  # once for all passes: a loop over a damaged file would fill the log

    def open(self) -> None:
        """Open and find the first frame; raises RecordingError."""
        self.close()
        checked_file(self._path, "a video file")
        stream = OpenCvStream.of_file(str(self._path), self._opener)
        try:
            self._check(stream)
        except RecordingError:
            stream.close()
            raise
        rate = stream.get(Property.RATE)
        self._rate = rate if math.isfinite(rate) and 0 < rate <= _MAX_RATE else DEFAULT_FPS
        self._media = MediaTime(self._rate)
        self._time.rewind()
        self._sequence, self._moment, self._has_first, self._has_ended = -1, None, True, False
        self._stream = stream

    def step(self) -> int | None:
        if self._stream is None:
            raise RecordingError(f"{self._path}: the video is not open; call open() first")
        if self._has_ended:
            return None
        if not (self._has_first or self._stream.step()):
            self._end(self._stream)
            return None
        self._has_first = False
        self._sequence += 1
        self._media_ns = self._media.next(self._stream.get(Property.POSITION_MS))
        self._moment = self._time.at(self._media_ns)
        return self._moment.captured_ns

    def picture(self) -> Frame | None:
        if self._stream is None or self._moment is None:
            return None
        image = self._stream.picture(self._settings.size)
        if image is None:
            return None
        return Frame(image, self._settings.camera, self._sequence, self._moment.captured_ns, self._moment.captured_at)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._moment = None

    def _check(self, stream: OpenCvStream) -> None:
        if not stream.is_open:
            raise RecordingError(
                f"{self._path}: expected a video; found no picture stream that can be read in its "
                f"{self._path.stat().st_size} bytes. It is broken, cut off before its index, sound only, or not a "
                f"video; look with: ffprobe {self._path}"
            )
        width, height = stream.get(Property.WIDTH), stream.get(Property.HEIGHT)
        if width * height > MAX_PIXELS:
            raise RecordingError(
                f"{self._path}: expected at most {MAX_PIXELS // 1_000_000} megapixels per frame, "
                f"found {width:.0f}x{height:.0f}; scale the video down first"
            )
        if not stream.step():
            raise RecordingError(
                f"{self._path}: expected a video, found one without a single readable frame; "
                f"look with: ffprobe {self._path}"
            )

    def _end(self, stream: OpenCvStream) -> None:
        self._has_ended = True
        promised_s = stream.get(Property.FRAMES) / self._rate
        played_s = self._media_ns / 1e9 + 1 / self._rate
        # Seconds, not frames: Matroska promises no number, and OpenCV's guess is wrong for a variable rate.
        is_short = promised_s - played_s > max(1.01 / self._rate, _TAIL * promised_s)
        if is_short and not self._is_told:
            self._is_told = True
            logger.warning(
                "%s: ends after %.1f s (%d frames), its header promises %.1f s; the file is cut off or damaged",
                self._path,
                played_s,
                self._sequence + 1,
                promised_s,
            )
