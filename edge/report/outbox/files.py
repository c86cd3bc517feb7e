"""The files of one outbox: their names, who may read them, who has them, and making them durable."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path


def claim(path: Path, *, as_writer: bool) -> int | None:
    """A lock that says who writes: descriptor to close when done with it; None if another process has it.

    The one writer holds it as long as it has the file open. A reader that gets it knows that there is no writer.
    """
    lock = open_beside(path, "-writer")
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if as_writer else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if as_writer:
        _sign(lock)
    return lock


def writer_of(path: Path) -> int | None:
    """The number of the process that has the claim, as it wrote it down."""
    try:
        text = beside(path, "-writer").read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.strip().isdigit() else None


def _sign(lock: int) -> None:
    """For whoever comes second; on a disk that takes nothing nobody learns it."""
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


@contextlib.contextmanager
def door(path: Path, *, alone: bool) -> Iterator[None]:
    """Opening a file and exchanging it for another keep out of each other's way.

    SQLite finds the write-ahead log by name: a process that opens the old file while the new one takes its place
    would write old pages into the new log.
    """
    lock = open_beside(path, "-door")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def make_folder(folder: Path) -> None:
    """A folder that only its owner can enter; one that exists is somebody's decision and stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_beside(path: Path, ending: str) -> int:
    """A descriptor of a file that belongs to another; made if it is not there."""
    name = beside(path, ending)
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    state, mode = os.fstat(descriptor), mode_in(name.parent)
    if stat.S_IMODE(state.st_mode) != mode and state.st_uid == os.geteuid():
        os.fchmod(descriptor, mode)
    return descriptor


def mode_in(folder: Path) -> int:
    """Of new files: for their owner alone; in a folder that hands its group on (2770), for that group too.

    So the publisher's unit, another user of the same group, reads what the detector's writes.
    """
    shared = stat.S_ISGID | stat.S_IWGRP
    return 0o660 if folder.stat().st_mode & shared == shared else 0o600


def make_file(path: Path) -> None:
    """An empty file that only its owner can read, or the group of a shared folder; one that exists is closed to others.

    An existing file is never opened here: closing it again would drop the locks that SQLite holds on it in this
    process (POSIX locks end with the first close).
    """
    if path.exists():
        path.chmod(mode_in(path.parent))
        return
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(path, flags, 0o600))
    path.chmod(mode_in(path.parent))  # not masked by the umask
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make a closed file's content durable."""
    _sync(path, os.O_RDWR)


def sync_folder(folder: Path) -> None:
    """Make names durable: created, renamed and removed files."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
