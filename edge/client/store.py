"""What a consumer knows, on disk: its position, and the events not handed over yet. One transaction for both."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.client import schema
from edge.client.payloads import ReceivedEvent
from edge.client.progress import Progress
from edge.core.errors import ConfigError, EdgeError

logger = logging.getLogger(__name__)

WAITING, FAILED = 0, 1


class StoreError(EdgeError):
    """The disk is full, or the file can't be written just now."""


class Store:
    """The intake's side of the file; belongs to one thread.

    Raises
    ------
    ConfigError
        From ``open``: the place can't be written, or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = schema.Lock(path.with_name(path.name + ".lock"))
        self._connection: sqlite3.Connection
        self._next_turn = 1

    def open(self) -> None:
        self._lock.take()
        try:
            self._prepare()
            self._connection = schema.connect(self.path, durable=True)
            highest = self._connection.execute("SELECT max(turn) FROM waiting").fetchone()[0]
            # failed events get another chance at each start
            self._connection.execute("UPDATE waiting SET state = ? WHERE state = ?", (WAITING, FAILED))
        except (sqlite3.Error, OSError) as error:
            self._lock.release()
            raise ConfigError(f"{self.path}: can't be used ({error}); check the disk and the permissions") from error
        except ConfigError:
            self._lock.release()
            raise
        self._next_turn = (highest or 0) + 1

    def close(self) -> None:
        self._connection.close()
        self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; raises StoreError (a full disk, for one) with nothing changed."""
        next_turn = self._next_turn
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            self._next_turn = next_turn
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise StoreError(f"{self.path}: can't be written ({error}); check the disk") from error
            raise

    def load(self) -> list[tuple[str, str, Progress]]:
        """(device, epoch, progress), in the order in which they were first heard of."""
        rows = self._connection.execute(
            "SELECT device, epoch, taken, lost, heard, closed FROM progress ORDER BY place"
        ).fetchall()
        return [
            (
                device,
                epoch,
                Progress(taken=json.loads(taken), lost=json.loads(lost), heard=heard, is_closed=bool(closed)),
            )
            for device, epoch, taken, lost, heard, closed in rows
        ]

    def save(self, device: str, epoch: str, progress: Progress) -> None:
        self._connection.execute(
            "INSERT INTO progress VALUES (?, ?, (SELECT ifnull(max(place), 0) + 1 FROM progress), ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET taken = excluded.taken, lost = excluded.lost, heard = excluded.heard,"
            " closed = excluded.closed",
            (
                device,
                epoch,
                json.dumps(progress.taken),
                json.dumps(progress.lost),
                progress.heard,
                progress.is_closed,
            ),
        )

    def forget(self, device: str, epoch: str) -> None:
        """Drop an epoch's position; its events that wait stay."""
        self._connection.execute("DELETE FROM progress WHERE device = ? AND epoch = ?", (device, epoch))

    def add(self, event: ReceivedEvent, *, in_turn: bool) -> None:
        """Keep an event; ``in_turn`` = it may be handed over after those before it."""
        self._connection.execute(
            "INSERT OR IGNORE INTO waiting (device, epoch, seq, turn, camera, type, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                event.device,
                event.epoch,
                event.seq,
                self._take_turn() if in_turn else None,
                event.camera,
                event.type,
                event.payload,
            ),
        )

    def release(self, device: str, epoch: str, last: int) -> None:
        """Give turns, by number, to what waited for the events before it."""
        rows = self._connection.execute(
            "SELECT rowid FROM waiting WHERE device = ? AND epoch = ? AND seq <= ? AND turn IS NULL ORDER BY seq",
            (device, epoch, last),
        ).fetchall()
        self._connection.executemany(
            "UPDATE waiting SET turn = ? WHERE rowid = ?", [(self._take_turn(), row) for (row,) in rows]
        )

    def amount(self) -> tuple[int, int]:
        """Events that wait, and the bytes of their payloads."""
        count, size = self._connection.execute(
            "SELECT count(*), ifnull(sum(length(payload)), 0) FROM waiting"
        ).fetchone()
        return int(count), int(size)

    def _take_turn(self) -> int:
        self._next_turn += 1
        return self._next_turn - 1

    def _prepare(self) -> None:
        try:
            schema.prepare(self.path)
        except sqlite3.OperationalError:
            raise  # a full disk, a missing permission: the file itself may be sound
        except sqlite3.DatabaseError as error:
            aside = _set_aside(self.path)
            logger.error(
                "%s is damaged (%s): set aside as %s; begun anew, so events may be handed over a second time",
                self.path,
                error,
                aside.name,
            )
            schema.prepare(self.path)


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    return aside
