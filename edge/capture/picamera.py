"""A Raspberry Pi camera module, through picamera2, as a source."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.capture.libcamera_format import picture_of, pixel_order, preferred_format
from edge.capture.moments import DeviceTime, Moment
from edge.capture.settings import DEFAULT_FPS, SourceSettings
from edge.capture.stepped import SteppedSource
from edge.core.errors import Away, MissingLibraryError, SourceError
from edge.core.protocols import Clock
from edge.core.values import Frame

logger = logging.getLogger(__name__)

_DEFAULT_SIZE = (1280, 720)
# One on the sensor, one in the ISP, one waiting, one held here. More only costs CMA memory.
_BUFFERS = 4
_MISSING = (
    "picamera2:{number}: the library picamera2 {problem}. It comes with the system, not from pip: "
    "sudo apt install python3-picamera2, and make the virtual environment with: "
    "python3 -m venv --system-site-packages"
)


def import_picamera2() -> Any:
    """The module picamera2, found only now: it exists on Raspberry Pi OS alone and takes seconds to load."""
    return importlib.import_module("picamera2")


class PicameraSource(SteppedSource):
    """One camera of this Raspberry Pi.

    Without ``lores_size`` the frames are made from the main stream. With it, a second small stream is taken from
    the same exposure and the frames are made from that; ``main_picture`` gives the large one for a snapshot.
    The newest frame wins inside picamera2 already: it keeps one finished request.
    """

    def __init__(
        self,
        number: int,
        settings: SourceSettings,
        clock: Clock,
        *,
        library: Callable[[], Any] = import_picamera2,
    ) -> None:
        self._number = number
        self._settings = settings
        self._library = library
        self._time = DeviceTime(clock, settings.mishaps)
        self._camera: Any = None
        self._request: Any = None
        self._streams: dict[str, dict[str, Any]] = {}
        self._sequence = -1
        self._moment: Moment | None = None

    def open(self) -> None:
        """Find, configure and start the camera; raises MissingLibraryError or SourceError."""
        self.close()
        picamera2 = self._import()
        try:
            self._check_present(picamera2.Picamera2.global_camera_info())
            self._take(picamera2.Picamera2)
            self._configure(self._camera)
            self._camera.start()
        except SourceError:
            self.close()
            raise
        except Exception as error:  # picamera2 raises RuntimeError, IndexError, OSError and libcamera's own
            self.close()
            raise SourceError(
                f"picamera2:{self._number}: the camera does not start: {error}; "
                "does another program hold it? try: rpicam-hello --list-cameras",
                Away.REFUSED,
            ) from error

    def step(self) -> int | None:
        if self._camera is None:
            raise SourceError(f"picamera2:{self._number}: the camera is not open; open it again")
        self._release()
        try:
            self._request = self._camera.capture_request(wait=self._settings.read_timeout_s)
            stamp_ns = self._request.get_metadata().get("SensorTimestamp")
        except Exception as error:  # TimeoutError, and whatever the event loop's thread ran into
            self.close()
            limit_s = self._settings.read_timeout_s
            found = f"no frame within {limit_s:g} s" if isinstance(error, TimeoutError) else str(error)
            raise SourceError(
                f"picamera2:{self._number}: {found}; check the camera's ribbon cable",
                Away.HUNG if isinstance(error, TimeoutError) else Away.LOST,
            ) from error
        self._sequence += 1
        self._moment = self._time.stamp(stamp_ns)
        return self._moment.captured_ns

    def picture(self) -> Frame | None:
        image = self._picture("lores" if "lores" in self._streams else "main")
        if image is None or self._moment is None:
            self._settings.mishaps.unreadable += 1
            return None
        return Frame(image, self._settings.camera, self._sequence, self._moment.captured_ns, self._moment.captured_at)

    def main_picture(self) -> NDArray[np.uint8] | None:
        """The main stream's picture of the frame last stepped to; None when there is none."""
        return self._picture("main")

    def close(self) -> None:
        self._release()
        camera, self._camera = self._camera, None
        self._moment = None
        if camera is None:
            return
        for act in (lambda: _forget_waiting(camera), camera.stop, camera.close, lambda: _free_leftovers(camera)):
            try:
                act()
            except Exception as error:  # noqa: BLE001 - a camera that failed may fail again while it is let go
                logger.debug("picamera2:%d: letting go failed: %s", self._number, error)

    def _import(self) -> Any:
        try:
            return self._library()
        except ModuleNotFoundError as error:
            problem = (
                "is not installed here" if error.name == "picamera2" else f"lacks a part of its own ({error.name})"
            )
            raise MissingLibraryError(_MISSING.format(number=self._number, problem=problem)) from error
        except Exception as error:  # "numpy.dtype size changed" is a ValueError; a missing .so an ImportError
            raise MissingLibraryError(
                _MISSING.format(number=self._number, problem=f"is installed but does not load: {error}")
            ) from error

    def _take(self, camera_class: Any) -> None:
        # Held before it is set up: when that fails half-way, only the object can let go of what it has taken by then.
        self._camera = camera_class.__new__(camera_class)
        self._camera.__init__(self._number)

    def _check_present(self, cameras: list[dict[str, Any]]) -> None:
        if self._number < len(cameras):
            return
        found = ", ".join(f"{i}: {camera.get('Model', '?')}" for i, camera in enumerate(cameras)) or "no camera at all"
        raise SourceError(
            f"picamera2:{self._number}: expected camera number {self._number}, found {found}; check the ribbon cable, "
            "then: rpicam-hello --list-cameras",
            Away.ABSENT,
        )

    def _configure(self, camera: Any) -> None:
        size = _even(self._settings.size or _DEFAULT_SIZE)
        lores = self._settings.lores_size
        period_us = round(1e6 / (self._settings.fps or DEFAULT_FPS))
        camera.configure(
            camera.create_video_configuration(
                main={"size": size, "format": preferred_format("main")},
                lores=None if lores is None else {"size": _even(lores), "format": preferred_format("lores")},
                controls={"FrameDurationLimits": (period_us, period_us)},
                buffer_count=_BUFFERS,
                display=None,
                encode=None,
            )
        )
        # libcamera adjusts what it can't give: what counts is what it says now.
        agreed = camera.camera_configuration()
        self._streams = {name: dict(agreed[name]) for name in ("main", "lores") if agreed.get(name)}
        for name, stream in self._streams.items():
            # Refused now and not at the first frame: an unknown format never mends itself.
            pixel_order(stream, where=f"picamera2:{self._number}: stream {name}")
            logger.info("picamera2:%d: %s %s %s", self._number, name, tuple(stream["size"]), stream["format"])
        if lores is not None and "lores" not in self._streams:
            logger.warning("picamera2:%d: no lores stream from this camera; frames come from main", self._number)

    def _picture(self, name: str) -> NDArray[np.uint8] | None:
        if self._request is None or name not in self._streams:
            return None
        where = f"picamera2:{self._number}: stream {name}"
        try:
            buffer = np.asarray(self._request.make_buffer(name), np.uint8)
        except Exception as error:  # a camera that went away takes its buffers along
            self.close()
            raise SourceError(f"{where}: the frame can't be fetched: {error}; check the ribbon cable") from error
        return picture_of(buffer, self._streams[name], where=where)

    def _release(self) -> None:
        request, self._request = self._request, None
        try:
            if request is not None:
                request.release()
        except Exception as error:  # noqa: BLE001 - a request of a stopped camera; nothing is left to give back
            logger.debug("picamera2:%d: release failed: %s", self._number, error)


def _forget_waiting(camera: Any) -> None:
    """A request that timed out stays in picamera2's queue, and stopping would wait behind it for a frame, for ever."""
    forget = getattr(camera, "cancel_all_and_flush", None)
    if forget is not None:
        forget()


def _free_leftovers(camera: Any) -> None:
    """The pipe that picamera2 (0.3.38) leaves open when a camera can't be had: two descriptors with every try."""
    pipe = getattr(camera, "notifymeread", None)
    if pipe is not None and not pipe.closed:
        pipe.close()
        os.close(camera.notifyme_w)


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """libcamera refuses odd sizes."""
    return max(2, size[0] - size[0] % 2), max(2, size[1] - size[1] % 2)
