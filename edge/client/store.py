"""What a consumer knows, on disk: its position, and the events not handed over yet. One transaction for both."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.client import schema
from edge.client.payloads import ReceivedEvent
from edge.client.progress import Progress
from edge.client.recovery import Doubt, recover
from edge.client.trouble import opening_error, store_error, translated
from edge.core.errors import ConfigError, EdgeError
from edge.core.kept_file import sync_folder

logger = logging.getLogger(__name__)

WAITING, FAILED = 0, 1


class Store:
    """The intake's side of the file; belongs to one thread.

    Parameters
    ----------
    strict_order : events wait for those before them; without, none does, whatever an earlier run wanted
    most_waiting : events that can wait, see ConsumerSettings
    boot_id : of the machine: what was struck out just before a power cut may be back

    Raises
    ------
    InUseError, ConfigError, StoreError
        From ``open``: another process has the file; the place can't be had; the disk is full or fails.
    StoreError
        From all others.
    """

    def __init__(
        self, path: Path, *, strict_order: bool = False, most_waiting: int = 10_000, boot_id: str = ""
    ) -> None:
        self.path = path
        self._strict_order = strict_order
        self._most_waiting = most_waiting
        self._boot_id = boot_id
        self._lock = schema.Lock(path.with_name(path.name + ".lock"))
        self._connection: sqlite3.Connection
        self._next_turn = 1

    def open(self) -> list[Doubt]:
        """Take the file; what is in doubt because it had to be made anew, almost always nothing."""
        self._lock.take()
        try:
            doubts = self._prepare()
            self._connection = schema.connect(self.path, durable=True)
            self._begin()
        except sqlite3.Error as error:
            self._lock.release()
            raise opening_error(self.path, error) from error
        except OSError as error:
            self._lock.release()
            raise ConfigError(f"{self.path}: can't be used ({error.strerror}); check the permissions") from error
        except EdgeError:
            self._lock.release()
            raise
        return doubts

    def close(self) -> None:
        with suppress(sqlite3.Error):  # a disk that refuses now only makes the next start more careful
            self._connection.execute("UPDATE run SET is_over = 1")
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
                raise store_error(self.path, error) from error
            raise

    def load(self) -> list[tuple[str, str, Progress]]:
        """(device, epoch, progress), in the order in which they were first heard of."""
        with translated(self.path):
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
        self._connection.execute("DELETE FROM doubts WHERE device = ? AND epoch = ?", (device, epoch))

    def doubted(self) -> set[tuple[str, str]]:
        """(device, epoch) of which a damaged file may have held events."""
        with translated(self.path):
            return set(self._connection.execute("SELECT DISTINCT device, epoch FROM doubts"))

    def add(self, event: ReceivedEvent, *, in_turn: bool) -> None:
        """Keep an event; ``in_turn`` = it may be handed over after those before it.

        One that is in doubt may have been handed over from the file that is no more.
        """
        identity = (event.device, event.epoch, event.seq)
        self._connection.execute(
            "INSERT OR IGNORE INTO waiting (device, epoch, seq, turn, camera, type, payload, handed) VALUES"
            " (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
            " EXISTS (SELECT 1 FROM doubts WHERE device = ?1 AND epoch = ?2 AND ?3 BETWEEN first AND last))",
            (*identity, self._take_turn() if in_turn else None, event.camera, event.type, event.payload),
        )

    def release(self, device: str, epoch: str, last: int) -> None:
        """Give turns, by number, to what waited for the events before it."""
        rows = self._connection.execute(
            "SELECT rowid FROM waiting WHERE device = ? AND epoch = ? AND seq <= ? AND turn IS NULL ORDER BY seq",
            (device, epoch, last),
        ).fetchall()
        self._give_turns(rows)

    def amount(self) -> tuple[int, int]:
        """Events that wait, and the bytes of their payloads."""
        with translated(self.path):
            count, size = self._connection.execute(
                "SELECT count(*), ifnull(sum(length(payload)), 0) FROM waiting"
            ).fetchone()
        return int(count), int(size)

    def _take_turn(self) -> int:
        self._next_turn += 1
        return self._next_turn - 1

    def _begin(self) -> None:
        highest = self._connection.execute("SELECT max(turn) FROM waiting").fetchone()[0]
        self._next_turn = (highest or 0) + 1
        # failed events get another chance at each start
        self._connection.execute("UPDATE waiting SET state = ? WHERE state = ?", (WAITING, FAILED))
        if not self._strict_order:
            rows = self._connection.execute("SELECT rowid FROM waiting WHERE turn IS NULL ORDER BY rowid").fetchall()
            self._give_turns(rows)
        self._note_run()

    def _note_run(self) -> None:
        """After a power cut, what waits may have been handed over: striking out is not synced one by one."""
        before = self._connection.execute("SELECT boot, is_over FROM run").fetchone()
        if before is not None and before[0] != self._boot_id and not before[1]:
            self._connection.execute("UPDATE waiting SET handed = 1")
        self._connection.execute("INSERT OR REPLACE INTO run VALUES (1, ?, 0)", (self._boot_id,))

    def _give_turns(self, rows: list[tuple[int]]) -> None:
        self._connection.executemany(
            "UPDATE waiting SET turn = ? WHERE rowid = ?", [(self._take_turn(), row) for (row,) in rows]
        )

    def _prepare(self) -> list[Doubt]:
        try:
            schema.prepare(self.path)
        except sqlite3.OperationalError:
            raise  # a full disk, a missing permission: the file itself may be sound
        except sqlite3.DatabaseError as error:
            return self._begin_anew(error)
        return []

    def _begin_anew(self, error: sqlite3.DatabaseError) -> list[Doubt]:
        """Set the file aside and save what can be read of it.

        The new file gets its name when it is complete: a kill meanwhile finds the damaged one, and begins this again.
        """
        fresh = self.path.with_name(self.path.name + ".new")
        for tail in ("", "-wal", "-shm"):
            fresh.with_name(fresh.name + tail).unlink(missing_ok=True)
        schema.prepare(fresh)
        doubts = recover(self.path, fresh, most_waiting=self._most_waiting, strict_order=self._strict_order)
        aside = _replace(self.path, fresh)
        logger.error(
            "%s is damaged (%s): set aside as %s, and begun anew with what could be read of it; %s",
            self.path,
            error,
            aside.name,
            _words_of(doubts),
        )
        return doubts or []


def _words_of(doubts: list[Doubt] | None) -> str:
    if doubts is None:
        return "that is nothing: which events waited in it is not known, and what comes is taken as if it were new"
    return "what may be missing is asked for again" if doubts else "no event is missing"


def _replace(path: Path, fresh: Path) -> Path:
    """Give the new file the name in one step; where the old one is now."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        aside.hardlink_to(path)
    except OSError:  # a file system without links
        path.rename(aside)
    log = path.with_name(path.name + "-wal")
    if log.exists():
        log.rename(aside.with_name(aside.name + "-wal"))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    fresh.rename(path)
    sync_folder(path.parent)
    return aside
