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
