"""The README is true: what it tells a person to type is typed here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flow.running import CHECKOUT
from tools.demonstration.broker import local_broker

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [block for language, block in BLOCKS if language == "sh"]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with what the README's reader has: the checkout, a photograph, a clip and the configuration shown."""
    from skimage import data, io

    for name in ("edge", "models", "systemd", "tools"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    io.imsave(tmp_path / "photo.jpg", data.stereo_motorcycle()[0])
    (tmp_path / "edge.yaml").write_text(next(block for language, block in BLOCKS if language == "yaml"))
    _label_own_pictures(tmp_path)
    return tmp_path


def _label_own_pictures(folder: Path) -> None:
    """One picture with one motorcycle, labelled as COCO does."""
    (folder / "pictures").mkdir()
    shutil.copy(folder / "photo.jpg", folder / "pictures" / "photo.jpg")
    labels = {
        "images": [{"id": 1, "file_name": "photo.jpg", "width": 741, "height": 500}],
        "categories": [{"id": 4, "name": "motorcycle"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 4, "bbox": [60, 60, 600, 380], "area": 228000, "iscrowd": 0}
        ],
    }
    (folder / "instances.json").write_text(json.dumps(labels))


def type_in(block: str, desk: Path) -> subprocess.CompletedProcess[str]:
    """Run a block as a shell script; ``edge`` is the program under test."""
    program = desk / "bin"
    program.mkdir()
    (program / "edge").write_text(f'#!/bin/sh\nexec {sys.executable} -m edge "$@"\n')
    (program / "edge").chmod(0o755)
    paths = f"{program}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": paths, "PYTHONPATH": str(CHECKOUT), "EDGE_VENV": sys.prefix, "HOME": str(desk)}
    return subprocess.run(
        ["bash", "-eux", "-c", block],
        cwd=desk,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def is_quick(block: str) -> bool:
    return "pip install" not in block and "tools/" not in block and "1883" not in block and "edge run" not in block


# the bench waits a while for a quiet machine
READY = [pytest.param(block, marks=[pytest.mark.slow] * ("bench" in block)) for block in COMMANDS if is_quick(block)]


@pytest.mark.parametrize("block", READY)
def test_each_command_does_what_it_says(block: str, desk: Path) -> None:
    done = type_in(block, desk)

    assert done.returncode == 0, done.stderr


@pytest.mark.broker
def test_the_service_of_the_readme_reaches_its_subscriber(desk: Path, tmp_path: Path) -> None:
    block = next(block for block in COMMANDS if "edge run" in block)
    listening = next(block for _, block in BLOCKS if "mosquitto_sub" in block)
    with local_broker(tmp_path) as port:
        configuration = desk / "edge.yaml"
        configuration.write_text(configuration.read_text().replace("1883", str(port)))
        subscriber = subprocess.Popen(
            ["bash", "-c", f"exec {listening.replace('127.0.0.1', f'127.0.0.1 -p {port}')}"],
            stdout=subprocess.PIPE,
            text=True,
        )

        done = type_in(block, desk)

        assert subscriber.stdout is not None
        heard = [line for line in iter(subscriber.stdout.readline, "edge/desk/status offline\n") if line]
        subscriber.terminate()
        subscriber.communicate(timeout=10)
    assert done.returncode == 0, done.stderr
    assert "camera(s) demo" in done.stderr
    assert any(line.startswith("edge/desk/camera/demo/detections {") for line in heard)


@pytest.mark.slow
def test_the_installation_of_the_readme_works_and_finds_its_models(desk: Path) -> None:
    block = next(block for block in COMMANDS if "pip install ." in block)

    done = type_in(block, desk)

    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [str(desk / "edge-venv" / "bin" / "edge"), "models", "list"],
        cwd=desk / "bin",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(desk)},
    )
    assert listed.returncode == 0, listed.stderr
    assert "edge-default" in listed.stdout


def test_the_tools_of_the_readme_are_there_and_can_be_started() -> None:
    named = set(re.findall(r"\btools/[\w-]+", README))

    assert {"tools/demo", "tools/test", "tools/check"} <= named
    assert all(os.access(CHECKOUT / name, os.X_OK) for name in named)


def test_every_page_the_readme_links_to_exists() -> None:
    pages = re.findall(r"\]\((?!https?:)([^)#]+)", README)

    assert pages
    assert [page for page in pages if not (CHECKOUT / page).exists()] == []
