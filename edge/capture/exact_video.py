"""Videos decoded to the same pixels on every processor: PyAV behind the face of ``cv2.VideoCapture``.

OpenCV's FFmpeg takes the fastest way each processor has, and the ways differ in the last bit: MPEG-4's inverse
cosine transform, and the step from YUV to RGB in every video. PyAV brings one FFmpeg for all and can ask it for the
exact way; the planes are then taken as they are, and what is made of them is whole numbers (``exact_pixels``).
Slower, and not needed by who watches a camera: for ``edge replay``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.capture.exact_pixels import yuv_to_bgr
from edge.capture.opencv_stream import Property
from edge.capture.settings import MAX_PIXELS
from edge.core.errors import MissingLibraryError, RecordingError

INSTALL = "pip install 'edge-detector[replay]'"
_MICROSECONDS = 1_000_000
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
# How packed pixels lie: where blue, green and red are among so many bytes.
_PACKED = {"bgr24": (3, (0, 1, 2)), "rgb24": (3, (2, 1, 0)), "bgr0": (4, (0, 1, 2)), "rgb0": (4, (2, 1, 0))} | {
    "bgra": (4, (0, 1, 2)),
    "rgba": (4, (2, 1, 0)),
}


def exact_decoder() -> str | None:
    """Name and version of the decoder that is the same everywhere; None where it is not installed."""
    try:
        av = importlib.import_module("av")
    except (ImportError, OSError):
        return None
    return f"FFmpeg {av.ffmpeg_version_info} of PyAV {av.__version__}"


def open_exact(target: str, _backend: int, _properties: list[int]) -> ExactCapture:
    """As ``cv2.VideoCapture`` would; raises MissingLibraryError."""
    if exact_decoder() is None:
        raise MissingLibraryError(f"expected PyAV, which decodes videos exactly; found none; {INSTALL}")
    return ExactCapture(target)


class ExactCapture:
    """One video file, with the methods of ``cv2.VideoCapture`` that sources use."""

    def __init__(self, path: str) -> None:
        import av

        self._broken: type[Exception] = av.error.FFmpegError
        self._turns = True
        self._frame: Any = None
        self._container: Any = None
        self._answers: dict[int, Callable[[], float]] = {}
        try:
            # A playlist that calls itself a video may name addresses: nothing but files is opened.
            self._container = av.open(path, container_options={"protocol_whitelist": "file"})
            self._stream = self._container.streams.video[0]
        except (self._broken, IndexError, ValueError, OSError):
            self.release()
            return
        decoder = self._stream.codec_context
        decoder.flags |= av.codec.context.Flags.bitexact
        decoder.options = {"idct": "simple", "max_pixels": str(MAX_PIXELS)}
        decoder.thread_count = 1  # what is made up for damaged pictures depends on who comes first
        self._frames = self._decoded()
        self._answers = {
            Property.POSITION_MS: self._position_ms,
            Property.WIDTH: lambda: decoder.width,
            Property.HEIGHT: lambda: decoder.height,
            Property.RATE: self._rate,
            Property.FRAMES: self._promised,
        }

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self._container is not None

    def grab(self) -> bool:
        self._frame = next(self._frames, None) if self.isOpened() else None
        return self._frame is not None

    def retrieve(self, _image: NDArray[Any] | None = None, /) -> tuple[bool, NDArray[Any] | None]:
        """The frame in BGR; raises RecordingError for pixels that have no exact reading here."""
        if self._frame is None:
            return False, None
        picture = _to_bgr(self._frame)
        quarters = round(self._frame.rotation / 90) % 4 if self._turns else 0
        return True, np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture

    def get(self, property_id: int, /) -> float:
        answer = self._answers.get(property_id)
        return 0.0 if answer is None or not self.isOpened() else float(answer())

    def set(self, property_id: int, value: float, /) -> bool:
        if property_id == Property.TURN_UPRIGHT:
            self._turns = bool(value)
        return property_id == Property.TURN_UPRIGHT

    def release(self) -> None:
        self._frame = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def _decoded(self) -> Iterator[Any]:
        """The frames that can be decoded; what lies between is passed over, as a player does."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except self._broken:
                return
            if packet is None:
                return
            try:
                yield from packet.decode()
            except self._broken:
                continue

    def _position_ms(self) -> float:
        frame = self._frame
        if frame is None or frame.pts is None or frame.time_base is None:
            return 0.0
        return float((frame.pts - (self._stream.start_time or 0)) * frame.time_base * 1000)

    def _promised(self) -> float:
        """How many frames the header says there are, else how many there is time for."""
        return float(self._stream.frames or round((self._container.duration or 0) / _MICROSECONDS * self._rate()))

    def _rate(self) -> float:
        return float(self._stream.guessed_rate or self._stream.average_rate or 0.0)


def _to_bgr(frame: Any) -> NDArray[np.uint8]:
    """(height, width, 3) of a decoded frame."""
    name = frame.format.name
    if name in _PACKED:
        bytes_each, order = _PACKED[name]
        pixels = _plane(frame.planes[0], frame.width * bytes_each, frame.height)
        return np.ascontiguousarray(pixels.reshape(frame.height, frame.width, bytes_each)[..., list(order)])
    if not name.startswith(("yuv4", "yuvj4", "gray")) or frame.format.components[0].bits != 8 or name == "yuyv422":
        raise RecordingError(
            f"the video's pixels are of the format {name}; expected planes of YUV, grey or RGB of 8 bits, which "
            "alone are decoded exactly here. Write it anew (ffmpeg -i IN -pix_fmt yuv420p OUT), or use --decoder opencv"
        )
    luma, *chroma = (_plane(plane, plane.width, plane.height) for plane in frame.planes[:3])
    return yuv_to_bgr(luma, chroma, is_full=name.startswith("yuvj") or frame.color_range == _FULL_RANGE)


def _plane(plane: Any, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width) without the padding at the end of each line."""
    lines = np.frombuffer(plane, np.uint8)[: plane.line_size * height]
    return lines.reshape(height, plane.line_size)[:, :width]
