"""Room in the file: how much there is, and in which order something gives way.

1. What needs no keeping: confirmed, dead-lettered, or past its window. Oldest first; it was kept only for replays.
2. Low-severity events, new ones first and stored ones when an alert needs their place: summed up, never just gone.
3. New alerts: refused, and named by a gap in the same transaction. A committed alert is never given up.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from edge.report.outbox import epochs, losses
from edge.report.outbox.epochs import Epoch
from edge.report.outbox.schema import PAGE_BYTES
from edge.report.outbox.values import NO_SPACE, Policy, State

FreeShare = Callable[[Path], float]

_MOST_ROWS = 256  # given up at a time: enough to free whole pages, few enough not to hold the lock for long
_SEARCH_AGAIN_MS = 5_000  # windows run out without anybody changing the file
_TELLING_PAGES = 4  # of the events handed out at a time
_ROW_OVERHEAD = 256  # bytes of an event beside its payload, with its share of the index


class Level(IntEnum):
    """What may still come in."""

    OPEN = 0
    ALERTS_ONLY = 1
    SHUT = 2


def free_share(folder: Path) -> float:
    """Share of the disk that an ordinary user may still fill, 0..1."""
    found = os.statvfs(folder)
    return found.f_bavail / found.f_blocks if found.f_blocks else 0.0


class Room:
    """The bounds of one file. All methods but the first two work inside the caller's transaction."""

    def __init__(self, policy: Policy, folder: Path, free: FreeShare = free_share) -> None:
        self._policy = policy
        self._folder = folder
        self._free = free
        self._chunk = min(_MOST_ROWS, policy.log_bytes // 2 // PAGE_BYTES)
        self.most_pages = (policy.max_bytes - policy.log_bytes) // PAGE_BYTES
        # What a shut file still has to write: losses, cursors, epochs; and the events that tell of losses. Those must
        # not wait for room: the consumer's cursor stands before a hole until it is told of, and confirms nothing.
        reserve = max(16, self.most_pages // 32)
        self._shut_at = self.most_pages - reserve
        self._tell_until = self.most_pages - reserve // 4
        # where the last searches ended, so that a full file is not read from end to end for each new event
        self._summed_up_to = 0
        self._searched = (-1, 0)  # data version and time of the last search that found nothing to give up

    def is_disk_low(self) -> bool:
        return self._free(self._folder) < self._policy.least_free

    def used_bytes(self, connection: sqlite3.Connection) -> int:
        """Pages in use, without those free for reuse."""
        total, unused = _pages(connection)
        return (total - unused) * PAGE_BYTES

    def level(self, connection: sqlite3.Connection, *, coming: int, disk_low: bool) -> Level:
        """What may come in when ``coming`` bytes of payload are waiting; on a low disk the file must not grow."""
        total, unused = _pages(connection)
        shut_at = min(self._shut_at, total) if disk_low else self._shut_at
        needed = total - unused + (coming + _ROW_OVERHEAD) // PAGE_BYTES + 1
        if needed > shut_at:
            return Level.SHUT
        return Level.ALERTS_ONLY if needed > shut_at * 9 // 10 else Level.OPEN

    def has_room_to_tell(self, connection: sqlite3.Connection) -> bool:
        """Whether the reserve still takes some events that tell of losses."""
        total, unused = _pages(connection)
        return total - unused + _TELLING_PAGES <= self._tell_until

    def give_up_kept(self, connection: sqlite3.Connection, now_ms: int) -> bool:
        """Delete the oldest events that need no keeping; False if there are none."""
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]  # changes with the reader's marks
        if version == self._searched[0] and now_ms < self._searched[1] + _SEARCH_AGAIN_MS:
            return False
        for epoch in epochs.all_epochs(connection):
            ids = self._kept(connection, epoch, now_ms)
            if ids:
                connection.executemany("DELETE FROM events WHERE id = ?", ids)
                floor = max(epoch.floor, epochs.lowest_held(connection, epoch, ids[-1][0] + 1) - 1)
                epochs.save(connection, Epoch(epoch.number, epoch.epoch, epoch.cursor, floor))
                epochs.forget_empty(connection)
                return True
        self._searched = (version, now_ms)
        return False

    def sum_up_stored(self, connection: sqlite3.Connection, now_ms: int) -> bool:
        """Turn the oldest stored low-severity events into summaries; False if there are none."""
        found = connection.execute(
            "SELECT * FROM events WHERE id > ? AND severity = 0 AND state != ? ORDER BY id LIMIT ?",
            (self._summed_up_to, int(State.DEAD), self._chunk),
        ).fetchall()
        book = losses.LossBook()
        for row in found:
            book.add(losses.of_row(row, NO_SPACE))
        losses.record(connection, book.take(), now_ms)
        connection.executemany("DELETE FROM events WHERE id = ?", [(row[0],) for row in found])
        if found:
            self._summed_up_to = found[-1][0]
        return bool(found)

    def _kept(self, connection: sqlite3.Connection, epoch: Epoch, now_ms: int) -> list[tuple[int]]:
        expired_ms = -1 if self._policy.has_consumer else now_ms - self._policy.window_ms
        return connection.execute(
            "SELECT id FROM events WHERE id BETWEEN ? AND ? AND (id <= ? OR state = ? OR (state = ? AND sent_ms <= ?))"
            " ORDER BY id LIMIT ?",
            (
                epoch.first_id,
                epoch.last_id,
                epoch.first_id + epoch.cursor,
                int(State.DEAD),
                int(State.SENT),
                expired_ms,
                self._chunk,
            ),
        ).fetchall()


def _pages(connection: sqlite3.Connection) -> tuple[int, int]:
    total: int = connection.execute("PRAGMA page_count").fetchone()[0]
    unused: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return total, unused
