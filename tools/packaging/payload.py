"""What a package puts where: a table of files, then a folder that dpkg-deb packs."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from tools.packaging.lock import Locked
from tools.packaging.targets import CHECKOUT, FOLDER

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
_DEBIAN = FOLDER / "debian"
_UNIT_KINDS = (".service", ".socket", ".target", ".timer", ".path")
_EXAMPLES = "usr/share/doc/edge/examples"
_UNITS = "usr/lib/systemd/system"
# Folder of systemd/ -> where its units go, and where its other files go.
_SYSTEM_FOLDERS = {
    ".": (_UNITS, _EXAMPLES),
    "pair": (_UNITS, f"{_EXAMPLES}/pair"),
    "sysusers": (_EXAMPLES, "usr/lib/sysusers.d"),
    "tmpfiles": (_EXAMPLES, "usr/lib/tmpfiles.d"),
    "udev": (_EXAMPLES, "usr/lib/udev/rules.d"),
    "journald": (_EXAMPLES, f"{_EXAMPLES}/journald"),
    "mosquitto": (_EXAMPLES, f"{_EXAMPLES}/mosquitto"),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """One file of the package; ``path`` counts from the root of the system."""

    path: str
    content: bytes
    mode: int = 0o644


def system_files(systemd: Path) -> Iterator[Placed]:
    """Units, accounts, folders, device rules and examples, as they stand in the checkout's ``systemd/``.

    Raises ValueError for a folder that has no place yet: a new one is not left out in silence.
    """
    for file in sorted(path for path in systemd.rglob("*") if path.is_file()):
        folder = str(file.parent.relative_to(systemd))
        if folder not in _SYSTEM_FOLDERS:
            raise ValueError(f"{file}: expected one of the folders {', '.join(_SYSTEM_FOLDERS)}; give it a place here")
        units, others = _SYSTEM_FOLDERS[folder]
        place = units if file.suffix in _UNIT_KINDS else others
        name = "edge.yaml" if file.name == "edge.example.yaml" else file.name
        yield Placed(f"{place}/{name}", file.read_bytes())


def own_files(version: str, moment_s: int) -> Iterator[Placed]:
    """The command, the maker of the environment, and the documents every package has."""
    yield Placed("usr/bin/edge", (_DEBIAN / "edge").read_bytes(), 0o755)
    yield Placed("usr/lib/edge/environment", template("environment", VERSION=version), 0o755)
    yield Placed("usr/lib/edge/hardware-check", (CHECKOUT / "tools/hardware-check").read_bytes(), 0o755)
    yield Placed("usr/share/doc/edge/copyright", (_DEBIAN / "copyright").read_bytes())
    date = format_datetime(datetime.fromtimestamp(moment_s, UTC))
    yield Placed("usr/share/doc/edge/changelog.gz", _compressed(template("changelog", VERSION=version, DATE=date)))
    yield Placed("usr/share/doc/edge/CHANGELOG.md.gz", _compressed((CHECKOUT / "CHANGELOG.md").read_bytes()))
    yield Placed("usr/share/man/man1/edge.1.gz", _compressed(template("edge.1", VERSION=version)))


def requirements(locked: Iterable[Locked], own: Locked) -> str:
    """What pip installs at the target; pip itself runs from its wheel and is not installed."""
    lines = [wheel.line() for wheel in (*locked, own) if wheel.name != "pip"]
    return "".join(f"{line}\n" for line in lines)


def template(name: str, **values: str) -> bytes:
    """A file of ``debian/`` with its @NAME@ filled in."""
    text = (_DEBIAN / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text.encode()


def write_files(files: Iterable[Placed], root: Path) -> None:
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)


def set_times(root: Path, moment_s: int) -> None:
    """All files and folders at one moment, so that the same content makes the same package."""
    for folder, _, names in os.walk(root):
        for path in (Path(folder), *(Path(folder) / name for name in names)):
            os.utime(path, (moment_s, moment_s))
            if path.is_dir():
                path.chmod(0o755)


def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
