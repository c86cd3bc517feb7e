"""One file of events and its writer's side, without threads: every promise about order is kept here.

The order, which ``docs/decisions/0006-outbox.md`` makes binding: an event is committed, and the commit is on the
disk, before any reader can see it; what is dropped is named in the transaction that drops it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.core.events import Severity
from edge.core.protocols import Clock
from edge.report.outbox import database, epochs, files, losses, marks, rows, salvage
from edge.report.outbox.ageing import Ageing
from edge.report.outbox.database import transaction
from edge.report.outbox.room import FreeShare, Level, Room, free_share
from edge.report.outbox.trouble import OutboxInUseError, OutboxUnavailableError, translated
from edge.report.outbox.values import (
    NO_DISK,
    NO_SPACE,
    OVERSIZE,
    PAYLOAD_LIMIT,
    Entry,
    Loss,
    Outgoing,
    Policy,
)


class NoDiskError(OutboxUnavailableError):
    """The disk is so full that the file must not grow."""


class Store:
    """One file. Constructing does nothing; every method but ``close`` may raise an OutboxError."""

    def __init__(
        self,
        path: Path,
        *,
        policy: Policy,
        clock: Clock,
        free: FreeShare = free_share,
        connect: database.Connect = database.connect,
    ) -> None:
        self.path = path
        self._policy = policy
        self._room = Room(policy, path.parent, free)
        self.ageing = Ageing(clock)
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._claim: int | None = None
        self._handed_out: set[int] = set()
        self.lost = 0

    def open(self) -> None:
        """Make or open the file, and read all of it once: what is damaged is found now, not when it is needed."""
        with translated(self.path):
            files.make_folder(self.path.parent)
            with files.door(self.path, alone=True):
                self._claim = files.claim(self.path, as_writer=True)
                if self._claim is None:
                    other = files.writer_of(self.path)
                    raise OutboxInUseError(
                        f"{self.path}: expected to write alone, found another edge at it"
                        f"{f', process {other}' if other else ''}; stop one of them"
                    )
                try:
                    self._connection = self._opened_and_checked()
                except BaseException:
                    self.close()
                    raise
        self._handed_out.clear()

    def _opened_and_checked(self) -> sqlite3.Connection:
        files.make_file(self.path)
        database.restore_log(self.path)
        connection = self._connect(self.path)
        try:
            database.check_owner(connection, self.path)
            database.prepare(connection, log_bytes=self._policy.log_bytes, synchronous="FULL")
            database.check(connection)
            database.make_tables(connection)
            connection.execute(f"PRAGMA max_page_count = {self._room.most_pages}")
            salvage.verify(connection)
            database.flush_log(connection, self.path)
            self.ageing.open(connection)
            marks.take_back_unsent(connection, self.ageing.now_ms())
        except BaseException:
            database.abandon(connection, self.path)
            raise
        return connection

    def close(self) -> None:
        """Let go; never raises, may be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        claim, self._claim = self._claim, None
        if claim is not None:
            os.close(claim)

    def is_disk_low(self) -> bool:
        with translated(self.path):
            return self._room.is_disk_low()

    def commit(self, entries: Sequence[Entry], dropped: Sequence[Loss] = (), *, refuse_for_disk: bool = True) -> None:
        """Write events and losses in one transaction; when it returns they are on the disk.

        Doing it again with the same events changes nothing: an identity is stored once. More than
        ``Policy.group_bytes`` of payload at a time would make the log longer than the bound allows.

        Raises
        ------
        NoDiskError
            If the disk is nearly full, nothing can give way, and ``refuse_for_disk`` is not set; nothing is written.
        """
        with translated(self.path), transaction(self.opened()):
            lost = self._write(entries, dropped, refuse_for_disk=refuse_for_disk)
        self.lost += lost

    def due(self, limit: int = 8) -> list[Loss]:
        """Losses to be told now, while there is room for telling; each is handed out once per opening."""
        with translated(self.path):
            found = losses.due(self.opened(), self.ageing.now_ms(), limit + len(self._handed_out))
            if not found or not self._has_room_to_tell():
                return []
        fresh = [loss for loss in found if loss.row not in self._handed_out][:limit]
        self._handed_out.update(loss.row for loss in fresh)
        return fresh

    def keep_time(self) -> None:
        """Once an hour, write down how late it is, if somebody's window runs by it."""
        if self._policy.has_consumer or not self.ageing.is_keep_due():
            return
        with translated(self.path), transaction(self.opened()):
            self.ageing.keep(self.opened())

    def version(self) -> int:
        """Changes when another process has changed the file."""
        with translated(self.path):
            found: int = self.opened().execute("PRAGMA data_version").fetchone()[0]
            return found

    def pending(self) -> int:
        """Events that wait to be sent."""
        with translated(self.path):
            return rows.count_pending(self.opened())

    def used_bytes(self) -> int:
        with translated(self.path):
            return self._room.used_bytes(self.opened())

    def is_full(self) -> bool:
        """Whether less than everything may come in."""
        with translated(self.path):
            return self._room.level(self.opened(), coming=0, disk_low=self._room.is_disk_low()) != Level.OPEN

    def name_holes(self, highest: Mapping[str, int], other: Store | None, *, rebuilt: bool) -> None:
        """After damage, while ``other`` may hold some: see ``salvage.name_holes``."""
        with translated(self.path):
            elsewhere = {} if other is None else salvage.accounted(other.opened())
            salvage.name_holes(self.opened(), highest, elsewhere, rebuilt=rebuilt)

    def _has_room_to_tell(self) -> bool:
        connection = self.opened()
        while not self._room.has_room_to_tell(connection):
            with transaction(connection):
                if not self._room.give_up_kept(connection, self.ageing.now_ms()):
                    return False
        return True

    def _write(self, entries: Sequence[Entry], dropped: Sequence[Loss], *, refuse_for_disk: bool) -> int:
        """Place events and record what was lost; how many events were. Inside a transaction."""
        now_ms = self.ageing.now_ms()
        disk_low = self._room.is_disk_low()
        book = losses.LossBook()
        lost = 0
        for entry in entries:
            loss = self.place(entry, now_ms, disk_low=disk_low)
            if loss is None:
                continue
            if loss.cause == NO_DISK and not refuse_for_disk:
                raise NoDiskError(f"{self.path}: expected free disk, found less than is to be left; free some space")
            book.add(loss)
            lost += 1
        losses.record(self.opened(), (*dropped, *book.take()), now_ms)
        return lost

    def place(self, entry: Entry, now_ms: int, *, disk_low: bool) -> Loss | None:
        """Put one event where it belongs; the loss, if it finds no place. Inside a transaction."""
        record = entry.record
        if len(record.payload) > PAYLOAD_LIMIT:
            return losses.gap(record, OVERSIZE)
        if entry.settles is not None:
            # room was found when it was handed out, and the file's reserve covers it
            losses.settle(self.opened(), entry.settles)
            self._handed_out.discard(entry.settles.row)
            self.insert(record, now_ms, tells=True)
            return None
        level = self.make_room(record, now_ms, disk_low=disk_low)
        if level == Level.SHUT:
            return losses.gap(record, NO_DISK if disk_low else NO_SPACE)
        if level == Level.ALERTS_ONLY and record.severity == Severity.DETECTION:
            return losses.summary(record, NO_SPACE)
        self.insert(record, now_ms, tells=False)
        return None

    def insert(self, record: Outgoing, now_ms: int, *, tells: bool) -> None:
        row = rows.to_row(record, self.number_of(record.epoch), now_ms, tells=tells)
        self.opened().execute(rows.INSERT, row)

    def make_room(self, record: Outgoing, now_ms: int, *, disk_low: bool) -> Level:
        connection = self.opened()
        size = len(record.payload)
        level = self._room.level(connection, coming=size, disk_low=disk_low)
        while level != Level.OPEN and self._room.give_up_kept(connection, now_ms):
            level = self._room.level(connection, coming=size, disk_low=disk_low)
        if record.severity == Severity.ALERT:
            while level == Level.SHUT and self._room.sum_up_stored(connection, now_ms):
                level = self._room.level(connection, coming=size, disk_low=disk_low)
        return level

    def number_of(self, epoch: str) -> int:
        # looked up each time: after a rollback or a clean-up a remembered number would be wrong
        return epochs.find_or_add(self.opened(), epoch).number

    def opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise OutboxUnavailableError(f"{self.path}: expected an open outbox, found it closed")
        return self._connection
