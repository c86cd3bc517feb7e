"""The epochs a file knows: a small number for each, how far the consumer is, and below what nothing is held."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge.report.outbox.schema import SEQ_BITS, SEQ_MASK, checksum, row_id


@dataclass(frozen=True, slots=True)
class Epoch:
    """cursor : the consumer has everything up to here; floor : up to here nothing is held, and nothing is missed."""

    number: int
    epoch: str
    cursor: int = 0
    floor: int = 0

    @property
    def first_id(self) -> int:
        return row_id(self.number, 0)

    @property
    def last_id(self) -> int:
        return row_id(self.number, SEQ_MASK)

    def crc(self) -> int:
        return checksum(self.number, self.epoch, self.cursor, self.floor)


def all_epochs(connection: sqlite3.Connection) -> list[Epoch]:
    """Oldest first."""
    rows = connection.execute("SELECT number, epoch, cursor, floor FROM epochs ORDER BY number")
    return [Epoch(*row) for row in rows]


def find(connection: sqlite3.Connection, epoch: str) -> Epoch | None:
    row = connection.execute("SELECT number, epoch, cursor, floor FROM epochs WHERE epoch = ?", (epoch,)).fetchone()
    return None if row is None else Epoch(*row)


def save(connection: sqlite3.Connection, epoch: Epoch) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO epochs VALUES (?, ?, ?, ?, ?)",
        (epoch.number, epoch.epoch, epoch.cursor, epoch.floor, epoch.crc()),
    )


def find_or_add(connection: sqlite3.Connection, epoch: str) -> Epoch:
    """A new epoch gets the next number: those with events, and the newest, are always in the table."""
    found = find(connection, epoch)
    if found is None:
        highest = connection.execute("SELECT max(number) FROM epochs").fetchone()[0] or 0
        found = Epoch(highest + 1, epoch)
        save(connection, found)
    return found


def forget_empty(connection: sqlite3.Connection) -> None:
    """Drop epochs that have no event left; the newest stays, so that its number is not given away again."""
    connection.execute(
        "DELETE FROM epochs WHERE number < (SELECT max(number) FROM epochs) AND NOT EXISTS"
        " (SELECT 1 FROM events WHERE id BETWEEN (number << ?1) AND (number << ?1) + ?2)",
        (SEQ_BITS, SEQ_MASK),
    )


def lowest_held(connection: sqlite3.Connection, epoch: Epoch, otherwise: int) -> int:
    """The lowest seq still there, or that of row ``otherwise`` if none is."""
    lowest = connection.execute(
        "SELECT min(id) FROM events WHERE id BETWEEN ? AND ?", (epoch.first_id, epoch.last_id)
    ).fetchone()[0]
    return int(otherwise if lowest is None else lowest) & SEQ_MASK


def highest_held(connection: sqlite3.Connection, epoch: Epoch) -> int:
    """The highest seq committed and still there, 0 if none is."""
    highest = connection.execute(
        "SELECT max(id) FROM events WHERE id BETWEEN ? AND ?", (epoch.first_id, epoch.last_id)
    ).fetchone()[0]
    return 0 if highest is None else highest & SEQ_MASK
