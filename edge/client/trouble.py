"""SQLite's errors in our words: what passes, what another start mends, what a person has to mend."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.core.errors import ConfigError, EdgeError

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FORBIDDEN = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})


class StoreError(EdgeError):
    """The disk is full, or the file can't be read or written just now."""

    exit_code = 75


class StoreDamagedError(StoreError):
    """The file is damaged; the next start sets it aside and goes on with what can be read of it."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours; raises StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    if _code(error) in _DAMAGED:
        return StoreDamagedError(f"{path}: damaged ({error}); the next start goes on with what can be read of it")
    return StoreError(f"{path}: can't be read or written ({error}); free some space or check the disk")


def opening_error(path: Path, error: sqlite3.Error) -> EdgeError:
    """The same before anything was read: then a place that can't be had is the user's mistake."""
    if _code(error) in _FORBIDDEN:
        return ConfigError(f"{path}: can't be used ({error}); check the folder and its permissions")
    return store_error(path, error)


def _code(error: sqlite3.Error) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
