"""Time for cameras without a clock battery: milliseconds in which this outbox was in use, over all boots.

The wall clock of such a camera starts in 1970 and jumps by decades; the monotonic clock starts at 0 with each boot.
Neither can measure a window of 24 hours that a reboot may fall into. So the file keeps its own time: it goes on
with the monotonic clock, stands still while the power is off, and never goes back. A window counted in it can
only be longer than one counted on the wall; and a replay can only be asked for while the device runs anyway.
"""

from __future__ import annotations

import sqlite3

from edge.core.protocols import Clock
from edge.report.outbox.database import transaction

KEEP_EVERY_MS = 3600 * 1000  # at most this much is forgotten at a power cut; 24 small writes a day

# Times have 6 bytes from the first one on: a mark then overwrites its row in place, and a long payload stays as it is.
_ORIGIN_MS = 1 << 40


class Ageing:
    """The file's own time. Both processes compute the same value within one boot: the clock is the machine's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms = 0
        self._base_ms = 0
        self._kept_ms = 0

    def open(self, connection: sqlite3.Connection) -> None:
        """Read where time stands; after a boot, go on from what was kept."""
        boot = self._clock.boot_id()
        with transaction(connection):  # the other process may be doing the same
            row = self._read(connection)
            if row is None or row[0] != boot:
                row = self._rebase(connection, boot, 0 if row is None else row[3])
        _, self._base_ms, monotonic_ms, self._kept_ms = row
        self._offset_ms = self._base_ms - monotonic_ms

    def now_ms(self) -> int:
        return self._monotonic_ms() + self._offset_ms

    def boot_ms(self) -> int:
        """When this boot began to use the file: what is older was committed in an earlier one."""
        return self._base_ms

    def is_keep_due(self) -> bool:
        return self.now_ms() - self._kept_ms >= KEEP_EVERY_MS

    def keep(self, connection: sqlite3.Connection) -> None:
        """Write down how late it is, so that the next boot goes on from here. Inside a transaction."""
        self._kept_ms = self.now_ms()
        connection.execute("UPDATE clock SET kept_ms = ?", (self._kept_ms,))

    def _monotonic_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000

    @staticmethod
    def newest_ms(connection: sqlite3.Connection) -> int:
        """When the newest event was committed, 0 if there is none. Reads every row: for a start and a move only."""
        found = connection.execute("SELECT max(committed_ms) FROM events").fetchone()[0]
        return _whole(found)

    @staticmethod
    def _read(connection: sqlite3.Connection) -> tuple[str, int, int, int] | None:
        """Where time stands; None if nobody has said, or what was said is damaged."""
        row = connection.execute("SELECT boot, base_ms, monotonic_ms, kept_ms FROM clock").fetchone()
        is_sound = row is not None and isinstance(row[0], str) and all(isinstance(value, int) for value in row[1:])
        return row if is_sound else None

    def _rebase(self, connection: sqlite3.Connection, boot: str, kept_ms: int) -> tuple[str, int, int, int]:
        # rows may be younger than what was kept: time must not go back behind any of them
        rows_ms = connection.execute(
            "SELECT max((SELECT coalesce(max(sent_ms), 0) FROM events), "
            "(SELECT coalesce(max(opened_ms), 0) FROM losses))"
        ).fetchone()[0]
        base_ms = max(kept_ms, self.newest_ms(connection), _whole(rows_ms), _ORIGIN_MS) + 1
        row = (boot, base_ms, self._monotonic_ms(), base_ms)
        connection.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?)", row)
        return row


def _whole(found: object) -> int:
    """A time that was read; a reader comes before anybody has looked whether the file is damaged."""
    return found if isinstance(found, int) else 0
