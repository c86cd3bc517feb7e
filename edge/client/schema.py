"""The consumer's file: who may open it, and its tables."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from pathlib import Path

from edge.client.trouble import StoreError
from edge.core.errors import ConfigError, InUseError
from edge.core.looking import is_passing

VERSION = 1

# turn: the order of handing over; null while a strict consumer waits for what comes before.
_TABLES = """
CREATE TABLE progress (
  device TEXT NOT NULL, epoch TEXT NOT NULL, place INTEGER NOT NULL,
  taken TEXT NOT NULL, lost TEXT NOT NULL, heard INTEGER NOT NULL, closed INTEGER NOT NULL,
  PRIMARY KEY (device, epoch)) WITHOUT ROWID;
CREATE TABLE waiting (
  device TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, turn INTEGER,
  state INTEGER NOT NULL DEFAULT 0, handed INTEGER NOT NULL DEFAULT 0,
  camera TEXT NOT NULL, type TEXT NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY (device, epoch, seq));
CREATE INDEX by_turn ON waiting (state, turn, device);
"""
# Younger than the first files, and older programs may ignore them: what a damaged file may have held, and how the run
# before this one ended.
_LATER = (
    "CREATE TABLE IF NOT EXISTS doubts (device TEXT NOT NULL, epoch TEXT NOT NULL, first INTEGER, last INTEGER)",
    "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, boot TEXT NOT NULL, is_over INTEGER NOT NULL)",
)


class Lock:
    """One process per file: two would take each other's events."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises InUseError when another process holds it; StoreError or ConfigError when the folder can't be had."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            kind = StoreError if is_passing(error) else ConfigError
            raise kind(f"{self._path.parent}: can't be written ({error.strerror}); choose another") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            if error.errno != errno.EWOULDBLOCK:
                raise StoreError(f"{self._path}: can't be locked ({error.strerror}); choose another folder") from error
            raise InUseError(
                f"{self._path}: another process follows as this consumer"
                f"{f', number {holder}' if holder.isdigit() else ''}; stop it, or take another name"
            ) from error
        self._descriptor = descriptor
        self._sign(descriptor)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @staticmethod
    def _sign(descriptor: int) -> None:
        """For whoever comes second; on a full disk nobody learns it."""
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            return


def connect(path: Path, *, durable: bool) -> sqlite3.Connection:
    """A connection in autocommit mode.

    durable : whether a commit survives a power cut; without, it survives the end of the process
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    return connection


def prepare(path: Path) -> None:
    """Make the tables, or see that they are ours. Raises sqlite3.DatabaseError on a damaged file, ConfigError else."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # events are personal data
    connection = connect(path, durable=True)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            raise ConfigError(f"{path}: written by another version of edge ({version}, expected {VERSION})")
        for statement in _LATER:
            connection.execute(statement)
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise damaged(found)
    finally:
        connection.close()


def damaged(found: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
