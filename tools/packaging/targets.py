"""The systems a package is made for, and what their wheels are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CHECKOUT = FOLDER.parent.parent
PYTHONS = ("3.11", "3.13")  # Raspberry Pi OS 12 and 13
MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}  # Debian's name -> the name in a wheel
# The glibc of Debian 12 is 2.36; pip takes each flag literally, so the older ones are named as well.
_GLIBC_MINORS = (34, 31, 28, 27, 26, 24, 17)


@dataclass(frozen=True, slots=True)
class Target:
    """One Python on one architecture, such as 3.11 on arm64."""

    python: str
    arch: str

    @property
    def lock_file(self) -> Path:
        return FOLDER / f"python{self.python}-{self.arch}.lock"

    def pip_options(self) -> list[str]:
        """What makes pip choose wheels for this target and for no other."""
        machine = MACHINES[self.arch]
        tags = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC_MINORS] + [f"manylinux2014_{machine}"]
        platforms = [option for tag in tags for option in ("--platform", tag)]
        compact = self.python.replace(".", "")
        abis = [option for abi in (f"cp{compact}", "abi3", "none") for option in ("--abi", abi)]
        return ["--only-binary=:all:", "--implementation", "cp", "--python-version", self.python, *platforms, *abis]


def targets_of(arch: str) -> tuple[Target, ...]:
    return tuple(Target(python, arch) for python in PYTHONS)
