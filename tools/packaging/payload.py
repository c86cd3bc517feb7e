"""What a package puts where: a table of files, then a folder that dpkg-deb packs."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.packaging.lock import Locked
from tools.packaging.targets import CHECKOUT, FOLDER

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
_DEBIAN = FOLDER / "debian"
_UNIT_KINDS = (".service", ".socket", ".target", ".timer", ".path", ".slice")
_SYSTEM_FOLDERS = {
    "sysusers.d": "usr/lib/sysusers.d",
    "tmpfiles.d": "usr/lib/tmpfiles.d",
    "udev": "usr/lib/udev/rules.d",
    "mosquitto": "usr/share/doc/edge/examples/mosquitto",
}


@dataclass(frozen=True, slots=True)
class Placed:
    """One file of the package; ``path`` counts from the root of the system."""

    path: str
    content: bytes
    mode: int = 0o644


def system_files(systemd: Path) -> Iterator[Placed]:
    """Units, accounts, folders and device rules, as they stand in the checkout's ``systemd/``."""
    for file in sorted(systemd.iterdir()):
        if file.suffix in _UNIT_KINDS:
            yield Placed(f"usr/lib/systemd/system/{file.name}", file.read_bytes())
    for name, place in _SYSTEM_FOLDERS.items():
        if (systemd / name).is_dir():
            for file in sorted((systemd / name).iterdir()):
                yield Placed(f"{place}/{file.name}", file.read_bytes())
    yield Placed("usr/share/doc/edge/examples/edge.yaml", (systemd / "edge.example.yaml").read_bytes())


def own_files(version: str) -> Iterator[Placed]:
    """The command, the maker of the environment, and the documents every package has."""
    yield Placed("usr/bin/edge", (_DEBIAN / "edge").read_bytes(), 0o755)
    yield Placed("usr/lib/edge/environment", template("environment", VERSION=version), 0o755)
    yield Placed("usr/share/doc/edge/copyright", (_DEBIAN / "copyright").read_bytes())
    yield Placed("usr/share/doc/edge/changelog.gz", _compressed((CHECKOUT / "CHANGELOG.md").read_bytes()))
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
