"""Puts files in place and takes them away: in one step each, and never over what somebody has changed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from edge.core.errors import EdgeError
from edge.host.install.parcel import Item
from edge.host.install.stamp import is_untouched, stamped

_LARGEST_BYTES = 1 << 20
_EMPTIED = ("etc/edge", "etc/systemd/journald.conf.d")  # removed when nothing is left in them


class Deed(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    UPDATED = "updated"
    UNCHANGED = "is already so"
    KEPT = "left as it is: somebody has changed it, or made it"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Step:
    """One file, and what becomes of it; path from the root of the system."""

    path: Path
    deed: Deed

    @property
    def changes(self) -> bool:
        return self.deed in (Deed.WRITTEN, Deed.UPDATED, Deed.REMOVED)


def plan_placing(items: Iterable[Item], root: Path) -> list[Step]:
    """What ``place`` would do. Raises EdgeError."""
    return [Step(item.path, _deed(item, root)) for item in items]


def place(items: Iterable[Item], root: Path) -> list[Step]:
    """Write what is missing or out of date.

    Raises
    ------
    EdgeError
        Before anything is written, if a folder can't be written to: a read-only system, or no permission.
    """
    chosen = list(items)
    steps = plan_placing(chosen, root)
    wanted = [item for item, step in zip(chosen, steps, strict=True) if step.changes]
    _check_writable([item.path for item in wanted], root)
    for item in wanted:
        _write(root / item.path, stamped(item.text))
    return steps


def plan_removing(paths: Iterable[Path], root: Path) -> list[Step]:
    """What ``remove`` would do. Raises EdgeError."""
    found = ((path, _content(root / path)) for path in paths)
    return [
        Step(path, Deed.REMOVED if is_untouched(content) else Deed.KEPT)
        for path, content in found
        if content is not None
    ]


def remove(paths: Iterable[Path], root: Path) -> list[Step]:
    """Take away what is ours and untouched. Raises EdgeError before anything is removed, if it can't be."""
    steps = plan_removing(paths, root)
    ours = [step.path for step in steps if step.changes]
    _check_writable(ours, root)
    for path in ours:
        _do(root / path, lambda file: file.unlink(missing_ok=True))
    for folder in _EMPTIED:
        _remove_if_empty(root / folder)
    return steps


def _deed(item: Item, root: Path) -> Deed:
    content = _content(root / item.path)
    if content is None:
        return Deed.WRITTEN
    if content == stamped(item.text):
        return Deed.UNCHANGED
    return Deed.UPDATED if is_untouched(content) else Deed.KEPT


def _content(file: Path) -> str | None:
    """None = nothing there; what is no text of ours is somebody's."""
    try:
        with file.open("rb") as stream:
            return stream.read(_LARGEST_BYTES).decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EdgeError(f"{file}: can't be read: {error.strerror}; {_advice(error)}") from error


def _check_writable(paths: Iterable[Path], root: Path) -> None:
    """All or nothing: half an installation is worse than none."""
    for folder in sorted({(root / path).parent for path in paths}):
        nearest = next(part for part in (folder, *folder.parents) if part.exists())
        if not nearest.is_dir():
            raise EdgeError(f"{nearest}: expected a folder, found a file; move it away")
        if not os.access(nearest, os.W_OK | os.X_OK):
            error = OSError(errno.EROFS if _is_read_only(nearest) else errno.EACCES, "")
            raise EdgeError(f"{folder}: can't be written to: {os.strerror(error.errno or 0)}; {_advice(error)}")


def _is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _write(file: Path, content: str) -> None:
    fresh = file.with_name(f".{file.name}.new")

    def do(target: Path) -> None:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh.write_text(content, encoding="utf-8")
        fresh.chmod(0o644)
        fresh.replace(target)

    _do(file, do)


def _do(file: Path, act: Callable[[Path], None]) -> None:
    try:
        act(file)
    except OSError as error:
        raise EdgeError(f"{file}: {error.strerror}; {_advice(error)}") from error


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # not there, or not empty: then it is still needed
        return


def _advice(error: OSError) -> str:
    if error.errno == errno.EROFS:
        return (
            "this system's root is read-only: make it writable for the time being (`sudo mount -o remount,rw /`, or "
            "switch the overlay off with raspi-config), or put the files into the image: `edge install --root DIR`"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return "this needs root: start it with sudo"
    if error.errno == errno.ENOSPC:
        return "the disk is full: free some space"
    return "check the disk"
