"""A lock file: one wheel per line, pinned by version and sha256, in the form that ``pip --require-hashes`` reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+]+)"
    r" --hash=sha256:(?P<sha256>[0-9a-f]{64})  # (?P<wheel>[A-Za-z0-9._+-]+\.whl)"
)
_HEAD = """\
# Wheels of the Debian package for Python {python} on {arch}. Made by: python -m tools.packaging.locking
# Each is named by its sha256; where it is fetched from does not matter.
"""


@dataclass(frozen=True, slots=True, order=True)
class Locked:
    """One wheel."""

    name: str
    version: str
    sha256: str
    wheel: str

    def line(self) -> str:
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}  # {self.wheel}"


def write_lock(python: str, arch: str, wheels: Iterable[Locked]) -> str:
    return _HEAD.format(python=python, arch=arch) + "".join(f"{wheel.line()}\n" for wheel in sorted(wheels))


def read_lock(text: str, file: str) -> tuple[Locked, ...]:
    """The wheels of a lock file; raises ValueError with the line that is none."""
    wheels = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(
                f"{file}:{number}: expected `name==version --hash=sha256:...  # name.whl`, found {line[:60]!r}; "
                "make the file anew with: python -m tools.packaging.locking"
            )
        wheels.append(Locked(**match.groupdict()))
    return tuple(wheels)
