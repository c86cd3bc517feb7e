"""What the capture tests share: the real RTSP server, and videos made on the spot."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import settings

from tests.contracts.frame_source import rgb_areas

# A busy machine is no failure of the property.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

SYSTEM_PYTHON = "/usr/bin/python3"
_PROBE = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
wanted = ("pngdec", "imagefreeze", "jpegenc", "rtpjpegpay", "x264enc", "rtph264pay")
missing = [name for name in wanted if not Gst.ElementFactory.find(name)]
raise SystemExit(f"GStreamer lacks {', '.join(missing)}" if missing else 0)
"""
_RTSP_FIX = (
    "apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-ugly"
)


def pytest_collection_modifyitems(config, items):
    """Without gst-rtsp-server or ffmpeg: in a CI a failure, elsewhere a notice and the other tests."""
    for marker, problem_of, fix in (
        ("rtsp", _rtsp_problem, _RTSP_FIX),
        ("ffmpeg", _ffmpeg_problem, "apt install ffmpeg"),
    ):
        wanting = [item for item in items if item.get_closest_marker(marker)]
        problem = problem_of() if wanting else None
        if problem is not None:
            _leave_out(config, items, wanting, f"the {len(wanting)} tests marked {marker}: {problem}; {fix}")


def _leave_out(config, items, wanting, notice):
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"CI can't run {notice}")
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"NOT RUN: {notice}", yellow=True)
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]


def _ffmpeg_problem() -> str | None:
    return None if shutil.which("ffmpeg") else "ffmpeg is not installed"


def _rtsp_problem() -> str | None:
    try:
        probe = subprocess.run([SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return f"{SYSTEM_PYTHON}: {error.strerror}"
    return None if probe.returncode == 0 else (probe.stderr.strip().splitlines() or ["unknown reason"])[-1]


class RtspServer:
    """The server as a process of its own that can be stopped, frozen and started again on the same port."""

    def __init__(self, picture: Path) -> None:
        self._picture = picture
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.locked_port = 0

    def start(self) -> None:
        script = Path(__file__).with_name("rtsp_server.py")
        command = [SYSTEM_PYTHON, str(script), str(self._picture), str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self._process.stdout.readline().split()
        assert line, "the RTSP server ended before it listened"
        self.port, self.locked_port = int(line[0]), int(line[1])

    def url(self, path: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{path}"

    def locked_url(self, user: str, password: str) -> str:
        return f"rtsp://{user}:{password}@127.0.0.1:{self.locked_port}/jpeg"

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None


@pytest.fixture(scope="session")
def rgb_png(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "rgb.png"
    cv2.imwrite(str(path), rgb_areas()[..., ::-1])
    return path


@pytest.fixture(scope="session")
def shared_rtsp_server(rgb_png) -> Iterator[RtspServer]:
    """One server for all tests that leave it alone."""
    server = RtspServer(rgb_png)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_rtsp_server(rgb_png) -> Iterator[RtspServer]:
    """A server for a test that hurts it."""
    server = RtspServer(rgb_png)
    server.start()
    yield server
    server.kill()


VideoMaker = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path) -> VideoMaker:
    """Writes the pictures (RGB) as a video; ``codec`` is OpenCV's four letters."""

    def make(
        pictures: list[np.ndarray] | None = None, *, name: str = "clip.mp4", codec: str = "mp4v", fps: float = 10.0
    ) -> Path:
        pictures = [rgb_areas()] * 6 if pictures is None else pictures
        path = tmp_path / name
        height, width = pictures[0].shape[:2]
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, (width, height))
        assert writer.isOpened()
        for picture in pictures:
            writer.write(np.ascontiguousarray(picture[..., ::-1]))
        writer.release()
        return path

    return make
