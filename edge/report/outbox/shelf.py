"""One file from the reader's side: opened when it is there, and afresh when the writer has put another in its place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from edge.core.protocols import Clock
from edge.report.outbox import database, epochs, files, rows, salvage, trouble
from edge.report.outbox.ageing import Ageing
from edge.report.outbox.trouble import OutboxDamagedError, OutboxTornError, OutboxUnavailableError, translated
from edge.report.outbox.values import Policy, Position, Stored

_NEVER = 1 << 62
_LIVE = "SELECT id FROM events WHERE state = 0 AND committed_ms >= ? ORDER BY committed_ms, id LIMIT ?"
_BACKLOG = "SELECT id FROM events WHERE state = 0 AND committed_ms < ? ORDER BY committed_ms, id LIMIT ?"
_UNCONFIRMED = "SELECT id FROM events WHERE id > ? AND id <= ? AND state IN (1, 2) ORDER BY id LIMIT ?"

Result = TypeVar("Result")


class Shelf:
    """Reads and marks one file. Trouble raises an OutboxError.

    Parameters
    ----------
    is_needed : a file that is not there is no empty one: the writer is making it, or exchanges it for a mended one,
        and nobody knows what it will hold. Else it is empty, as memory is while the disk works
    live_ms : an event younger than this goes before the backlog
    """

    def __init__(
        self,
        path: Path,
        *,
        is_needed: bool,
        policy: Policy,
        clock: Clock,
        live_ms: int,
        connect: database.Connect = database.connect,
    ) -> None:
        self._path = path
        self._is_needed = is_needed
        self._policy = policy
        self._live_ms = live_ms
        self._connect = connect
        self._ageing = Ageing(clock)
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._opened_ms = 0

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def version(self) -> tuple[object, ...]:
        """Changes when another process has changed the file, or the file is another."""
        return self.look(lambda connection: (self._file, *connection.execute("PRAGMA data_version").fetchone()), ())

    def pending(self, limit: int, without: Collection[Position], *, in_order: bool) -> list[Stored]:
        """Events to send, live ones first unless in order; damaged rows are left out and reported to the writer."""
        return self.look(lambda connection: self._pending(connection, limit, without, in_order=in_order), [])

    def unconfirmed(self, limit: int, after: Position | None) -> list[Stored]:
        """Events that the broker has and no cursor covers, oldest first."""
        return self.look(lambda connection: self._unconfirmed(connection, limit, after), [])

    def depth(self) -> int:
        return self.look(rows.count_pending, 0)

    def look(self, read: Callable[[sqlite3.Connection], Result], empty: Result) -> Result:
        """Read something; ``empty`` if there is no file and none is needed."""
        try:
            with translated(self._path):
                connection = self._current()
                if connection is not None:
                    return read(connection)
        except OutboxTornError:
            raise  # there is no writer; it will look for itself when it comes
        except OutboxDamagedError:
            salvage.suspect(self._path)
            self.close()
            raise
        if self._is_needed:
            raise OutboxUnavailableError(f"{self._path}: expected an outbox, found none yet; its writer makes it")
        return empty

    def change(self, write: Callable[[sqlite3.Connection, int], Result], empty: Result) -> Result:
        """Change something, given the file's own time; ``empty`` if there is no file."""
        return self.look(lambda connection: write(connection, self._ageing.now_ms()), empty)

    def _current(self) -> sqlite3.Connection | None:
        """The connection to the file that now has the name."""
        found = self._state()
        if found is None:
            self.close()
            return None
        if self._connection is None or self._file != (found.st_dev, found.st_ino):
            self.close()
            self._connection = self._open()
        return self._connection

    def _state(self) -> os.stat_result | None:
        with suppress(FileNotFoundError):
            return self._path.stat()
        if self._is_needed:
            # an exchange takes the old file away before it puts the new one there, and keeps the door meanwhile
            with files.door(self._path, alone=False), suppress(FileNotFoundError):
                return self._path.stat()
        return None

    def _open(self) -> sqlite3.Connection | None:
        with files.door(self._path, alone=False):
            claim = files.claim(self._path, as_writer=False)
            try:
                return self._opened(is_alone=claim is not None)
            finally:
                if claim is not None:
                    os.close(claim)

    def _opened(self, *, is_alone: bool) -> sqlite3.Connection | None:
        """The connection; None if the writer has not made its tables yet.

        is_alone : there is no writer. A living one has looked at the log when it came; else nobody has, and nothing
            may be written over its end.
        """
        found = self._path.stat()
        connection = self._connect(self._path)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'pending'").fetchone():
                connection.close()
                return None
            database.prepare(connection, log_bytes=self._policy.log_bytes, synchronous="NORMAL")
            if is_alone:
                database.flush_log(connection, self._path)
            self._ageing.open(connection)
        except BaseException:
            if is_alone:
                database.abandon(connection, self._path)
            connection.close()
            raise
        self._file = (found.st_dev, found.st_ino)
        self._opened_ms = self._ageing.now_ms()
        return connection

    def _pending(
        self, connection: sqlite3.Connection, limit: int, without: Collection[Position], *, in_order: bool
    ) -> list[Stored]:
        found: list[Stored] = []
        # in order means that nothing is so young that it may go first
        for query, since_ms in ((_LIVE, _NEVER if in_order else self._live_since_ms()), (_BACKLOG, _NEVER)):
            missing = limit - len(found)
            bounds = (since_ms, missing + len(found) + len(without))
            taken = {*without, *(event.position for event in found)}
            ids = connection.execute(query, bounds).fetchall()
            found += self._some(connection, (number for (number,) in ids), taken, missing)
        return found

    def _unconfirmed(self, connection: sqlite3.Connection, limit: int, after: Position | None) -> list[Stored]:
        start = None if after is None else epochs.find(connection, after.epoch)
        last_id = -1 if start is None or after is None else start.first_id + after.seq
        found: list[Stored] = []
        for epoch in epochs.all_epochs(connection):
            bounds = (max(last_id, epoch.first_id + epoch.cursor), epoch.last_id, limit - len(found))
            ids = connection.execute(_UNCONFIRMED, bounds).fetchall()
            found += self._some(connection, (number for (number,) in ids), (), limit - len(found))
        return found

    def _some(
        self, connection: sqlite3.Connection, ids: Iterable[int], without: Collection[Position], limit: int
    ) -> list[Stored]:
        """The events of these rows, read one by one: a backlog of 100,000 is never in memory."""
        some = (event for number in ids if (event := self._stored(connection, number)).position not in without)
        return list(islice(some, limit))

    def _stored(self, connection: sqlite3.Connection, number: int) -> Stored:
        row = connection.execute("SELECT * FROM events WHERE id = ?", (number,)).fetchone()
        record = None if row is None else rows.from_row(row)
        if record is None:
            raise trouble.damaged(f"event row {number}")
        _, _, _, sends, committed_ms, *_ = row
        return Stored(
            position=record.position,
            topic=record.topic,
            payload=record.payload,
            severity=record.severity,
            camera=record.camera,
            label=record.label,
            happened_wall_ms=record.happened_wall_ms,
            age_ms=max(0, self._ageing.now_ms() - committed_ms),
            sends=sends,
            live=committed_ms >= self._live_since_ms(),
            maybe_sent=committed_ms <= self._opened_ms,
            tells=rows.tells(row),
        )

    def _live_since_ms(self) -> int:
        return max(self._ageing.now_ms() - self._live_ms, self._ageing.boot_ms())
