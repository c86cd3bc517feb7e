"""What is put where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.core.errors import EdgeError
from edge.core.shared_files import shared_folder

SHIPPED_PROGRAM = "/opt/edge/bin/edge"  # as it stands in the shipped units
PACKAGED = Path("usr/lib/systemd/system/edge.service")  # where a package of the distribution puts it
_UNITS = "etc/systemd/system"
_ALWAYS = {
    "udev/60-edge-tpu.rules": "etc/udev/rules.d/60-edge-tpu.rules",
    "sysusers/edge.conf": "etc/sysusers.d/edge.conf",
    "tmpfiles/edge.conf": "etc/tmpfiles.d/edge.conf",
    "edge.example.yaml": "etc/edge/edge.example.yaml",
}
_SINGLE = {"edge.service": f"{_UNITS}/edge.service"}
_PAIR = {f"pair/{name}": f"{_UNITS}/{name}" for name in ("edge-detector.service", "edge-publisher.service")}
_JOURNAL = {"journald/edge-volatile.conf": "etc/systemd/journald.conf.d/edge-volatile.conf"}
_EVERYTHING = {**_ALWAYS, **_SINGLE, **_PAIR, **_JOURNAL}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asked for.

    program : the command that the units run; an absolute path, or an interpreter and its arguments
    is_pair : the detector and the publisher as units of their own
    """

    program: str = SHIPPED_PROGRAM
    is_pair: bool = False
    has_volatile_journal: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A file of ours.

    path : relative to the root of the system
    """

    path: Path
    text: str


def parcel(wishes: Wishes, *, folder: Path | None = None) -> list[Item]:
    """The files to put in place.

    Raises
    ------
    EdgeError
        If this installation of edge lacks one of them.
    """
    names = _ALWAYS | (_PAIR if wishes.is_pair else _SINGLE) | (_JOURNAL if wishes.has_volatile_journal else {})
    home = folder or shared_folder("systemd")
    return [Item(Path(path), _adapted(_read(home / name), wishes)) for name, path in names.items()]


def all_places() -> list[Path]:
    """Where any file of ours may lie, whatever was asked for."""
    return [Path(path) for path in _EVERYTHING.values()]


def places_of_the_other(wishes: Wishes) -> list[Path]:
    """The units of the way that was not chosen: one service or two, never both."""
    return [Path(path) for path in (_SINGLE if wishes.is_pair else _PAIR).values()]


def unit_names(wishes: Wishes) -> list[str]:
    """The units to switch on; they bring the others along."""
    return ["edge-detector.service"] if wishes.is_pair else ["edge.service"]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise EdgeError(
            f"{path}: expected a file that comes with edge, found none ({error.strerror}); reinstall edge-detector"
        ) from error


def _adapted(text: str, wishes: Wishes) -> str:
    adapted = text.replace(SHIPPED_PROGRAM, wishes.program)
    if wishes.program.startswith(("/home/", "/root/")):
        adapted = adapted.replace("ProtectHome=yes", "ProtectHome=read-only")
    return adapted
