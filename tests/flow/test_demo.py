"""The first thing a newcomer runs, from its command to the picture."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.flow.running import CHECKOUT
from tools.demonstration.login import camera_of

pytestmark = pytest.mark.broker


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of its own, so that the demo's folder is nobody else's."""
    for name in ("edge", "models", "tools", "systemd"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def demo(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"EDGE_VENV": sys.prefix, "PYTHONPATH": str(copy)}
    command = [str(copy / "tools" / "demo"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment, check=False)


@pytest.mark.slow
def test_the_demo_shows_events_a_picture_and_where_to_go_next(copy: Path) -> None:
    shown = demo(copy)

    assert shown.returncode == 0, shown.stderr
    assert "track_start  person" in shown.stdout
    assert "track_start  vehicle" in shown.stdout
    assert "frames/s" in shown.stdout
    picture = cv2.imread(str(copy / ".demo" / "detections.png"))
    assert picture is not None
    assert picture.shape == (480, 640, 3)


def test_the_demo_takes_a_clip_and_a_time(copy: Path) -> None:
    clip = copy / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    for _ in range(30):
        writer.write(np.full((240, 320, 3), 114, np.uint8))
    writer.release()

    shown = demo(copy, "--source", str(clip), "--seconds", "1")

    assert shown.returncode == 0, shown.stderr
    assert "nothing was seen" in shown.stdout


def test_the_demo_says_what_is_wrong_with_a_source_that_is_not_there(copy: Path) -> None:
    shown = demo(copy, "--source", "nowhere.mp4")

    assert shown.returncode == 78
    assert "nowhere.mp4" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_the_demo_takes_a_stream_s_address_with_its_login_and_shows_the_password_to_nobody(copy: Path) -> None:
    shown = demo(copy, "--source", "rtsp://viewer:geheim@127.0.0.1:1/stream", "--seconds", "1")

    assert shown.returncode == 75, shown.stderr
    assert "expected a stream" in shown.stderr
    assert "geheim" not in shown.stdout + shown.stderr
    assert "geheim" not in (copy / ".demo" / "edge.yaml").read_text()


@pytest.mark.parametrize(
    ("source", "camera", "password"),
    [
        ("clips/a@b.mp4", {"source": "clips/a@b.mp4"}, None),
        ("rtsp://192.0.2.1/live", {"source": "rtsp://192.0.2.1/live"}, None),
        ("rtsp://me@192.0.2.1/live", {"source": "rtsp://192.0.2.1/live", "username": "me"}, None),
        (
            "rtsp://me:p%40ss@192.0.2.1/live",
            {"source": "rtsp://192.0.2.1/live", "username": "me", "password": {"file": "password"}},
            "p@ss",
        ),
    ],
)
def test_a_login_is_taken_out_of_the_address(
    source: str, camera: dict[str, object], password: str | None, tmp_path: Path
) -> None:
    assert camera_of(source, tmp_path) == camera
    assert [file.read_text() for file in tmp_path.iterdir()] == ([password] if password else [])
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir())
