"""The package's own scripts: they refuse early, in words, and the shell reads them all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools.packaging.payload import SCRIPTS, template
from tools.packaging.targets import FOLDER


@pytest.fixture
def preinst(tmp_path: Path) -> Path:
    path = tmp_path / "preinst"
    path.write_bytes(template("preinst", ARCH="arm64"))
    return path


def install_on(preinst: Path, *, system: str, python: str) -> subprocess.CompletedProcess[str]:
    """Run preinst where dpkg and python3 say what a certain system's would."""
    programs = preinst.parent / "bin"
    programs.mkdir()
    minor = int(python.split(".")[1])
    fit = 0 if 11 <= minor <= 13 else 1
    _program(programs / "dpkg", f"echo {system}")
    _program(programs / "python3", f'[ "$1" = --version ] && echo "Python {python}" || exit {fit}')
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    command = ["sh", str(preinst), "install"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("python", ["3.11.2", "3.13.5"])
def test_raspberry_pi_os_12_and_13_are_welcome(preinst: Path, python: str) -> None:
    done = install_on(preinst, system="arm64", python=python)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_32_bit_system_is_refused_with_the_way_out(preinst: Path) -> None:
    done = install_on(preinst, system="armhf", python="3.11.2")

    assert done.returncode == 1
    assert "expected a system of architecture arm64, found armhf" in done.stderr
    assert "64-bit Raspberry Pi OS" in done.stderr


@pytest.mark.parametrize("python", ["3.9.2", "3.14.0"])
def test_a_python_without_wheels_is_refused(preinst: Path, python: str) -> None:
    done = install_on(preinst, system="arm64", python=python)

    assert done.returncode == 1
    assert f"expected Python 3.11 or 3.13, found Python {python}" in done.stderr


@pytest.mark.parametrize("name", [*SCRIPTS, "environment", "edge"])
def test_the_shell_reads_the_script(name: str) -> None:
    done = subprocess.run(["sh", "-n", str(FOLDER / "debian" / name)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
