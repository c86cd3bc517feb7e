"""The wheels of a package: those of the lock files, checked by hash, and edge's own, built from this checkout."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tools.packaging.lock import Locked, read_lock
from tools.packaging.targets import CHECKOUT, FOLDER, Target

_BUILD_LOCK = FOLDER / "build.lock"


class WheelError(Exception):
    """A wheel that can't be had, or is not the one that was locked."""


def locked_wheels(target: Target) -> tuple[Locked, ...]:
    return read_lock(target.lock_file.read_text(encoding="utf-8"), target.lock_file.name)


def fetch_wheels(target: Target, folder: Path) -> list[Path]:
    """All wheels of a target, in ``folder``; what lies there with the right hash is not fetched again."""
    folder.mkdir(parents=True, exist_ok=True)
    locked = locked_wheels(target)
    if not all(_is_good(folder / wheel.wheel, wheel.sha256) for wheel in locked):
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
            *("--dest", str(folder), *target.pip_options(), "--requirement", str(target.lock_file)),
        ]
        if subprocess.run(command, check=False).returncode != 0:
            raise WheelError(f"{target.lock_file.name}: not every wheel could be fetched; see pip's words above")
    for wheel in locked:
        if not _is_good(folder / wheel.wheel, wheel.sha256):
            raise WheelError(
                f"{folder / wheel.wheel}: expected the wheel with sha256 {wheel.sha256}, found another or none; "
                "remove the file and start again"
            )
    return [folder / wheel.wheel for wheel in locked]


def build_own_wheel(folder: Path, moment_s: int) -> Path:
    """edge's own wheel, the same to the byte for the same sources and moment (seconds since 1970)."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(moment_s), "PIP_CONSTRAINT": str(_BUILD_LOCK)}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(CHECKOUT)]
    if subprocess.run(command, check=False, env=environment).returncode != 0:
        raise WheelError("edge's own wheel could not be built; see pip's words above")
    (wheel,) = folder.glob("edge_detector-*.whl")
    return wheel


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_good(path: Path, sha256: str) -> bool:
    return path.is_file() and digest(path) == sha256
