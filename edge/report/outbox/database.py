"""One SQLite file, opened the way the promise needs it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

from edge.core.errors import ConfigError
from edge.report.outbox.carve import frames_beyond
from edge.report.outbox.files import beside
from edge.report.outbox.schema import APPLICATION_ID, PAGE_BYTES, TABLES, VERSION
from edge.report.outbox.trouble import OutboxTornError, damaged

Synchronous = Literal["FULL", "NORMAL"]
Connect = Callable[[Path], sqlite3.Connection]

_BUSY_S = 2.0  # the other process's transactions are a few rows long; its fsync on a bad card may take a second
_CACHE_KIB = 512  # SQLite's page cache; the default of 2 MB buys nothing for rows read once


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


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
