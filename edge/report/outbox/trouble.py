"""What can be wrong with an outbox, and SQLite's errors in these words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edge.core.errors import EdgeError

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


class OutboxInUseError(OutboxError):
    """Another process writes it."""


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


def damaged(found: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
