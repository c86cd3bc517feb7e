"""Stand-ins for cv2.VideoCapture and for the module picamera2: as much of them as the sources use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from edge.capture.opencv_stream import Property, fourcc


class FakeCapture:
    """A cv2.VideoCapture that plays prepared pictures.

    pictures : RGB; None = a frame that can't be decoded
    formats, sizes : what the "driver" grants; anything else leaves what it had
    stamps_ms : what CAP_PROP_POS_MSEC answers, frame by frame
    """

    def __init__(
        self,
        pictures: Sequence[np.ndarray | None],
        *,
        is_open: bool = True,
        formats: Sequence[str] = ("MJPG", "YUYV"),
        sizes: Sequence[tuple[int, int]] = ((640, 480),),
        stamps_ms: Sequence[float] = (),
        on_grab: Callable[[], None] = lambda: None,
    ) -> None:
        self._pictures = list(pictures)
        self._is_open = is_open
        self._formats = formats
        self._sizes = sizes
        self._stamps_ms = list(stamps_ms)
        self._on_grab = on_grab
        self._index = -1
        self._wished = {Property.WIDTH: 0.0, Property.HEIGHT: 0.0}
        self.values: dict[int, float] = {Property.FOURCC: float(fourcc("YUYV")), Property.RATE: 30.0}
        self.asked: list[int] = []
        self.is_released = False
        self.retrieved = 0

    def isOpened(self) -> bool:
        return self._is_open and not self.is_released

    def grab(self) -> bool:
        self._on_grab()
        self._index += 1
        return self._index < len(self._pictures)

    def retrieve(self, image: Any = None) -> tuple[bool, Any]:
        self.retrieved += 1
        picture = self._pictures[self._index]
        return (False, None) if picture is None else (True, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def get(self, property_id: int) -> float:
        if property_id == Property.POSITION_MS:
            return self._stamps_ms[self._index] if 0 <= self._index < len(self._stamps_ms) else 0.0
        return self.values.get(property_id, 0.0)

    def set(self, property_id: int, value: float) -> bool:
        self.asked.append(property_id)
        if property_id == Property.FOURCC and value not in {fourcc(name) for name in self._formats}:
            return False
        if property_id in self._wished:
            self._wished[Property(property_id)] = value
            size = (int(self._wished[Property.WIDTH]), int(self._wished[Property.HEIGHT]))
            if size not in self._sizes:
                size = self._sizes[0]
            self.values[Property.WIDTH], self.values[Property.HEIGHT] = size
            return True
        self.values[property_id] = value
        return True

    def release(self) -> None:
        self.is_released = True


class FakeOpener:
    """Opens the captures it was given, one after the other, and keeps what it was asked."""

    def __init__(self, *captures: FakeCapture) -> None:
        self._captures = list(captures)
        self.calls: list[tuple[str, int, list[int]]] = []

    def __call__(self, target: str, backend: int, properties: list[int]) -> FakeCapture:
        self.calls.append((target, backend, properties))
        return self._captures.pop(0)


class FakeRequest:
    def __init__(self, buffers: dict[str, np.ndarray], metadata: dict[str, Any]) -> None:
        self._buffers, self._metadata = buffers, metadata
        self.is_released = False

    def make_buffer(self, name: str) -> np.ndarray:
        if self.is_released:
            raise RuntimeError("request was released")
        return self._buffers[name]

    def get_metadata(self) -> dict[str, Any]:
        return self._metadata

    def release(self) -> None:
        assert not self.is_released, "released twice"
        self.is_released = True


class FakePicamera2:
    """The module picamera2 with one or more cameras that show ``picture``.

    adjust : format libcamera gives instead of the asked one, per stream
    stamps_ns : SensorTimestamp of each frame; None = not in the metadata. After the last, the camera hangs.
    """

    def __init__(
        self,
        picture: np.ndarray,
        *,
        cameras: int = 1,
        adjust: dict[str, str] | None = None,
        padding: int = 0,
        stamps_ns: Sequence[int | None] = (),
        start_error: Exception | None = None,
    ) -> None:
        self.picture = picture
        self.adjust = adjust or {}
        self.padding = padding
        self.stamps_ns = list(stamps_ns)
        self.start_error = start_error
        self.opened: list[_FakeCamera] = []
        self._cameras = cameras
        outer = self

        class Picamera2(_FakeCamera):
            def __init__(self, number: int = 0) -> None:
                super().__init__(outer)

            @staticmethod
            def global_camera_info() -> list[dict[str, Any]]:
                return [{"Model": f"imx{708 + i}", "Num": i} for i in range(outer._cameras)]

        self.Picamera2 = Picamera2


class _FakeCamera:
    def __init__(self, library: FakePicamera2) -> None:
        self._library = library
        library.opened.append(self)
        self.is_running = False
        self.is_closed = False
        self.wished: dict[str, Any] = {}
        self.requests: list[FakeRequest] = []
        self.waits: list[float] = []
        self._waiting_jobs = 0
        self._agreed: dict[str, Any] = {}

    def create_video_configuration(self, **wished: Any) -> dict[str, Any]:
        self.wished = wished
        return wished

    def configure(self, wished: dict[str, Any]) -> None:
        for name in ("main", "lores"):
            if wished.get(name) is None:
                self._agreed[name] = None
                continue
            stream = dict(wished[name])
            stream["format"] = self._library.adjust.get(name, stream["format"])
            stream["stride"] = row_bytes(stream["format"], stream["size"][0]) + self._library.padding
            self._agreed[name] = stream

    def camera_configuration(self) -> dict[str, Any]:
        return self._agreed

    def start(self) -> None:
        if self._library.start_error is not None:
            raise self._library.start_error
        self.is_running = True

    def capture_request(self, *, wait: float) -> FakeRequest:
        self.waits.append(wait)
        if not self._library.stamps_ns:
            self._waiting_jobs += 1
            raise TimeoutError
        stamp_ns = self._library.stamps_ns.pop(0)
        buffers = {
            name: encode(self._library.picture, stream["format"], stream["size"], stream["stride"])
            for name, stream in self._agreed.items()
            if stream is not None
        }
        request = FakeRequest(buffers, {} if stamp_ns is None else {"SensorTimestamp": stamp_ns})
        self.requests.append(request)
        return request

    def cancel_all_and_flush(self) -> None:
        self._waiting_jobs = 0

    def stop(self) -> None:
        """Behind a job that waits for a frame the real one would wait for ever."""
        self.is_running = self._waiting_jobs > 0

    def close(self) -> None:
        self.is_closed = True


_DEPTH = {"BGR888": 3, "RGB888": 3, "XBGR8888": 4, "XRGB8888": 4, "YUYV": 2}


def row_bytes(name: str, width: int) -> int:
    return width * _DEPTH.get(name, 1)


def encode(picture: np.ndarray, name: str, size: tuple[int, int], stride: int) -> np.ndarray:
    """The bytes in which libcamera would lay the RGB picture into memory, rows padded to the stride."""
    image = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
    opaque = np.full((*image.shape[:2], 1), 255, np.uint8)
    # A padded width, so that the chroma rows of planar formats get their share of the padding.
    wide = (
        cv2.copyMakeBorder(image, 0, 0, 0, stride - image.shape[1], cv2.BORDER_REPLICATE)
        if name not in _DEPTH
        else image
    )
    makers: dict[str, Callable[[], np.ndarray]] = {
        "BGR888": lambda: image,
        "RGB888": lambda: image[..., ::-1],
        "XBGR8888": lambda: np.concatenate([image, opaque], axis=2),
        "XRGB8888": lambda: np.concatenate([image[..., ::-1], opaque], axis=2),
        "YUV420": lambda: cv2.cvtColor(wide, cv2.COLOR_RGB2YUV_I420),
        "YVU420": lambda: cv2.cvtColor(wide, cv2.COLOR_RGB2YUV_YV12),
        "NV12": lambda: _nv12(cv2.cvtColor(wide, cv2.COLOR_RGB2YUV_I420), wide.shape[0], stride),
        "YUYV": lambda: cv2.cvtColor(image, cv2.COLOR_RGB2YUV_YUY2),
    }
    rows = np.ascontiguousarray(makers[name]() if name in makers else image)
    rows = rows.reshape(rows.shape[0], -1)
    padded = np.zeros((rows.shape[0], max(stride, rows.shape[1])), np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.reshape(-1)


def _nv12(i420: np.ndarray, height: int, width: int) -> np.ndarray:
    u, v = i420[height:].reshape(2, height // 2, width // 2)
    return np.concatenate([i420[:height], np.stack([u, v], axis=2).reshape(height // 2, width)])


def missing_library() -> SimpleNamespace:
    raise ModuleNotFoundError("No module named 'picamera2'", name="picamera2")
