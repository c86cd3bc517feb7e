"""One SQLite file, opened the way the promise needs it, and SQLite's errors in three words."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

from edge.core.errors import ConfigError, EdgeError
from edge.report.outbox.carve import frames_beyond
from edge.report.outbox.schema import APPLICATION_ID, PAGE_BYTES, TABLES, VERSION

Synchronous = Literal["FULL", "NORMAL"]
Connect = Callable[[Path], sqlite3.Connection]

_BUSY_S = 2.0  # the other process's transactions are a few rows long; its fsync on a bad card may take a second
_CACHE_KIB = 512  # SQLite's page cache; the default of 2 MB buys nothing for rows read once
_SUSPECT = {
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_TRUNCATE,
}

# SQLITE_ERROR is "no such table": our statements are right, so the file is wrong
_DAMAGED = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}


class OutboxError(EdgeError):
    """The outbox can't do what was asked, for now."""

    exit_code = 75


class OutboxBusyError(OutboxError):
    """The other process holds the file; again in a moment."""


class OutboxDamagedError(OutboxError):
    """The file is corrupt."""


class OutboxTornError(OutboxDamagedError):
    """The end of the log is unreadable: what stood there may have been an unfinished commit, or finished ones."""


class OutboxUnavailableError(OutboxError):
    """The disk is full, read-only, broken or not there.

    is_suspect : a write or fsync failed, so what the file seems to hold may not be on the disk
    """

    def __init__(self, message: str, *, is_suspect: bool = False) -> None:
        super().__init__(message)
        self.is_suspect = is_suspect


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise  # a value that can't be stored: the caller's mistake, nothing is wrong with the file
    except sqlite3.Error as error:
        raise _ours(path, error) from error
    except UnicodeDecodeError as error:
        raise OutboxDamagedError(f"{path}: expected an outbox, found text that is none: {error}") from error
    except OSError as error:
        raise OutboxUnavailableError(f"{path}: expected a writable file, found: {error.strerror}") from error


def _ours(path: Path, error: sqlite3.Error) -> OutboxError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OutboxBusyError(f"{path}: another process holds it: {error}")
    if code is None or code == sqlite3.SQLITE_IOERR_SHORT_READ or primary in _DAMAGED:
        return OutboxDamagedError(f"{path}: expected an outbox, found a damaged file: {error}")
    return OutboxUnavailableError(
        f"{path}: expected a writable disk, found: {error}; free some space or check the card",
        is_suspect=code in _SUSPECT,
    )


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; takes the write lock at once, so that it never has to be upgraded."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # after an I/O error SQLite has rolled back by itself
            connection.execute("ROLLBACK")
        raise


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
    return lock


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


def connect(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """An existing file, in autocommit; one thread opens it, another uses it.

    factory : a connection that fails on purpose, for tests
    """
    return sqlite3.connect(
        f"file:{_quoted(path)}?mode=rw",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


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


def flush_log(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the log back; raises OutboxTornError if it goes on behind what SQLite can read. Not while another writes.

    What a killed writer left in the log may not be on the disk yet. It is after this, and only then is it sent.
    """
    readable: int = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    if readable >= 0 and frames_beyond(beside(path, "-wal"), readable):
        raise OutboxTornError(f"{path}: expected a log that ends with a commit, found more behind it")


def abandon(connection: sqlite3.Connection, path: Path) -> None:
    """Close without losing the log: SQLite removes it with its last connection, and with it what it could not read."""
    log, kept = beside(path, "-wal"), beside(path, "-kept")
    with contextlib.suppress(FileNotFoundError):
        log.rename(kept)
    connection.close()
    restore_log(path)


def restore_log(path: Path) -> None:
    """Put back the log that ``abandon`` has kept, or was about to."""
    kept = beside(path, "-kept")
    if kept.exists():
        kept.rename(beside(path, "-wal"))


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


def prepare(connection: sqlite3.Connection, *, log_bytes: int, synchronous: Synchronous) -> None:
    """Set a connection up; the tables are made if the file is empty.

    The write-ahead log is copied back when it has half of ``log_bytes``, and cut to all of them.
    """
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise OSError(0, f"a file system without a write-ahead log (SQLite fell back to {mode})")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {log_bytes // 2 // PAGE_BYTES}")
    connection.execute(f"PRAGMA journal_size_limit = {log_bytes}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA secure_delete = FAST")  # zeroes what is rewritten anyway; costs no write
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA trusted_schema = OFF")


def make_tables(connection: sqlite3.Connection) -> None:
    """In an empty file."""
    with transaction(connection):
        if not _tables(connection):
            for statement in filter(str.strip, TABLES.split(";")):
                connection.execute(statement)


def check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """Before anything is changed: raises ConfigError if it is somebody else's database."""
    tables = _tables(connection)
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    if tables and "events" not in tables and mark != APPLICATION_ID:
        raise ConfigError(
            f"{path}: expected an outbox or no file, found another program's database; choose another outbox path"
        )


def check(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError if it is damaged."""
    marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if _tables(connection) and marks != [APPLICATION_ID, VERSION]:
        raise damaged(f"marked {marks}, not {[APPLICATION_ID, VERSION]}")
    if _tables(connection) and _definitions(connection) != _sound_definitions():
        raise damaged("a table is not defined as it was")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(found)


def _definitions(connection: sqlite3.Connection) -> set[tuple[object, ...]]:
    """Where no checksum of ours reaches: a flipped bit makes another name, another column, another condition."""
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))


@cache
def _sound_definitions() -> set[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        return _definitions(connection)


def damaged(found: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
