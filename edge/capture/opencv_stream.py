"""cv2.VideoCapture behind a small face: files, V4L2 devices and network streams all come through here."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.capture.pixels import PixelOrder, fit_within, grey_to_bgr, to_rgb
from edge.capture.settings import MAX_PIXELS


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used."""

    def isOpened(self) -> bool: ...  # noqa: N802 - OpenCV's name

    def grab(self) -> bool: ...

    def retrieve(self, image: NDArray[Any] | None = None, /) -> tuple[bool, NDArray[Any] | None]: ...

    def get(self, property_id: int, /) -> float: ...

    def set(self, property_id: int, value: float, /) -> bool: ...

    def release(self) -> None: ...


class Property(IntEnum):
    """OpenCV's numbers for what a capture can be asked, by our words."""

    POSITION_MS = cv2.CAP_PROP_POS_MSEC
    WIDTH = cv2.CAP_PROP_FRAME_WIDTH
    HEIGHT = cv2.CAP_PROP_FRAME_HEIGHT
    RATE = cv2.CAP_PROP_FPS
    FOURCC = cv2.CAP_PROP_FOURCC
    FRAMES = cv2.CAP_PROP_FRAME_COUNT
    TURN_UPRIGHT = cv2.CAP_PROP_ORIENTATION_AUTO
    BUFFERS = cv2.CAP_PROP_BUFFERSIZE
    OPEN_TIMEOUT_MS = cv2.CAP_PROP_OPEN_TIMEOUT_MSEC
    READ_TIMEOUT_MS = cv2.CAP_PROP_READ_TIMEOUT_MSEC


# Threads of ffmpeg's own cost more than they bring while one of them decodes a frame in a millisecond: 768x432 takes
# 1.2 instead of 1.4 ms of CPU, and they would take turns with the model on its core. Larger pictures are worth them.
_LARGE_PX = 1280 * 720
_ONE_THREAD = [int(cv2.CAP_PROP_N_THREADS), 1] if hasattr(cv2, "CAP_PROP_N_THREADS") else []

# target, OpenCV backend, flat list of property, value, ... set while opening
CaptureOpener = Callable[[str, int, list[int]], Capture]


def open_capture(target: str, backend: int, properties: list[int]) -> Capture:
    """The real cv2.VideoCapture, told to keep its complaints off standard error: ours say more, and hide passwords."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET; read by OpenCV at its first ffmpeg
    _silence()
    capture: Capture = cv2.VideoCapture(target, backend, properties)
    return capture


def _silence() -> None:
    # OpenCV 4.13 moved the function; each wheel has it at one of the two places alone.
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)
    else:
        logging = cv2.utils.logging  # type: ignore[attr-defined, unused-ignore]
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)


class OpenCvStream:
    """An opened capture, read in two halves."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._buffer: NDArray[Any] | None = None

    @classmethod
    def of_file(cls, path: str, opener: CaptureOpener) -> OpenCvStream:
        stream = cls(opener(path, cv2.CAP_FFMPEG, _ONE_THREAD))
        if _LARGE_PX < stream.get(Property.WIDTH) * stream.get(Property.HEIGHT) <= MAX_PIXELS:
            stream.close()
            stream = cls(opener(path, cv2.CAP_FFMPEG, []))
        stream.ask(Property.TURN_UPRIGHT, 1)  # telephones film lying and note it; wheels differ in the default
        return stream

    @classmethod
    def of_url(cls, url: str, opener: CaptureOpener, *, open_timeout_s: float, read_timeout_s: float) -> OpenCvStream:
        """RTSP over TCP: over UDP, one lost packet smears the picture until the next key frame."""
        # OpenCV 4.11 tests this variable the wrong way round: set to anything it prefers TCP, unset it takes UDP.
        os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
        timeouts = [
            Property.OPEN_TIMEOUT_MS,
            _whole_ms(open_timeout_s),
            Property.READ_TIMEOUT_MS,
            _whole_ms(read_timeout_s),
        ]
        return cls(opener(url, cv2.CAP_FFMPEG, [int(number) for number in timeouts]))

    @classmethod
    def of_device(cls, device: str, opener: CaptureOpener, *, read_timeout_s: float) -> OpenCvStream:
        # Whole seconds, read by OpenCV when the process opens its first device.
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(max(1, round(read_timeout_s))))
        return cls(opener(device, cv2.CAP_V4L2, []))

    @property
    def is_open(self) -> bool:
        return self._capture.isOpened()

    def get(self, which: Property) -> float:
        return float(self._capture.get(which))

    def ask(self, which: Property, value: float) -> None:
        """Ask for a setting; a driver may do as it likes: read it back."""
        self._capture.set(which, value)

    def step(self) -> bool:
        """Go to the next frame; False at the end, on time-out and on a lost device alike."""
        try:
            return self._capture.grab()
        except cv2.error:
            return False

    def picture(self, size: tuple[int, int] | None) -> NDArray[np.uint8] | None:
        """The frame of the last step as RGB, scaled to fit inside ``size``; None when it can't be decoded."""
        try:
            is_decoded, pixels = self._capture.retrieve(self._buffer)
        except cv2.error:
            return None
        if not is_decoded or pixels is None or pixels.size == 0 or pixels.dtype != np.uint8:
            return None
        self._buffer = pixels  # reused: 1.7x cheaper than a new one per frame; what leaves here is always a copy
        bgr = grey_to_bgr(pixels) if pixels.ndim == 2 or pixels.shape[2] == 1 else pixels
        # Scaling before the colour conversion touches fewer pixels: 0.23 instead of 0.41 ms for 720p to 300x300.
        return to_rgb(bgr if size is None else fit_within(bgr, size), PixelOrder.BGR)

    def close(self) -> None:
        try:
            self._capture.release()
        except cv2.error:
            return


def fourcc(name: str) -> int:
    """'MJPG' as the number that drivers speak."""
    return int.from_bytes(name.encode("ascii"), "little")


def fourcc_name(number: float) -> str:
    text = int(number).to_bytes(4, "little", signed=number < 0).decode("ascii", "replace").strip("\0 ")
    return text if text.isprintable() and text else "unknown"


def _whole_ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
