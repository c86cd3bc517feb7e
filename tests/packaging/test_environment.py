"""The maker of the environment, with a script in place of Python: what it refuses, and what a failure leaves."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools.packaging.payload import template

# Says it is a certain Python; `-m venv ... FOLDER` makes a folder with itself and an `edge` in it.
_PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) echo "${SERIES:-3.13}" ;;
  "-m venv"*) for folder; do :; done
     mkdir -p "$folder/bin" "$folder/lib/python${SERIES:-3.13}"; : > "$folder/pyvenv.cfg"
     cp "$0" "$folder/bin/python"; printf '#!/bin/sh\\nexit 0\\n' > "$folder/bin/edge"; chmod +x "$folder/bin/edge" ;;
  *"import cv2"*) exit "${LIBRARIES:-0}" ;;
esac
"""


class Device:
    """A folder in place of the root of a system."""

    def __init__(self, root: Path) -> None:
        self.opt = root / "opt"
        self._library = root / "library"
        (self._library / "wheels").mkdir(parents=True)
        for series in ("3.11", "3.13"):
            (self._library / f"python{series}.requirements").write_text("")
        python = root / "python3"
        python.write_text(_PYTHON)
        python.chmod(0o755)
        text = template("environment", VERSION="1.0").decode()
        for name, place in (("here", self._library), ("opt", self.opt), ("python", python)):
            line = next(line for line in text.splitlines() if line.startswith(f"{name}="))
            text = text.replace(line, f"{name}={place}", 1)
        self._script = root / "environment"
        self._script.write_text(text.replace("needed_kb=450000", "needed_kb=1"))

    def say(self, verb: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(self._script), verb]
        return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)

    @property
    def current(self) -> str:
        return (self.opt / "current").readlink().name


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def test_the_whole_folder_is_the_environment_in_use(device: Device) -> None:
    done = device.say("make")

    assert done.returncode == 0, done.stderr
    assert device.current == "1.0-python3.13"
    assert all((device.opt / part).exists() for part in ("bin/edge", "lib/python3.13", "pyvenv.cfg"))


def test_made_again_the_new_one_is_named_and_the_old_one_tidied_away(device: Device) -> None:
    device.say("make")
    device.say("make")
    device.say("tidy")

    assert device.current == "1.0-python3.13.1"
    assert [path.name for path in (device.opt / "environments").iterdir()] == [device.current]


def test_what_does_not_run_on_this_machine_leaves_the_old_one_in_use(device: Device) -> None:
    device.say("make")

    done = device.say("make", LIBRARIES="132")

    assert done.returncode == 1
    assert "do not run on this machine" in done.stderr
    assert device.current == "1.0-python3.13"
    assert [path.name for path in (device.opt / "environments").iterdir()] == [device.current]


def test_another_python_does_not_fit(device: Device) -> None:
    device.say("make", SERIES="3.11")

    assert device.say("fits", SERIES="3.11").returncode == 0
    assert device.say("fits", SERIES="3.13").returncode == 1


def test_a_python_without_wheels_is_refused(device: Device) -> None:
    done = device.say("make", SERIES="3.12")

    assert done.returncode == 1
    assert "expected Python 3.11 or 3.13" in done.stderr


def test_an_environment_made_by_hand_is_left_alone(device: Device) -> None:
    (device.opt / "bin").mkdir(parents=True)

    done = device.say("make")

    assert done.returncode == 1
    assert "made by hand" in done.stderr
    assert list(device.opt.iterdir()) == [device.opt / "bin"]
