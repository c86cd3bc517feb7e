"""A damaged or suspect file is replaced by a new one with everything that could be read, and set aside.

The write order, so that a crash at any step leaves either the old file or the whole new one:
build ``-new``, close it, pack it into ``-packed``; rename that to ``-ready``; move the old file, its log and its index
away, in this order; rename ``-ready`` into place. ``finish_exchange`` goes on wherever that was interrupted.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from edge.core.protocols import Clock
from edge.report.outbox import database, epochs, files, losses, rows, trouble
from edge.report.outbox.carve import Record, carve
from edge.report.outbox.database import transaction
from edge.report.outbox.epochs import Epoch
from edge.report.outbox.files import beside, open_beside
from edge.report.outbox.schema import SEQ_BITS, SEQ_MASK
from edge.report.outbox.spans import Span, holes, merge, of_numbers
from edge.report.outbox.trouble import translated
from edge.report.outbox.values import DAMAGE, Loss, LossKind, State

_BATCH = 500  # rows per transaction while the new file is filled
_LOG_BYTES = 1024 * 1024
# An event may be found in several versions of its page: the furthest it has come is the truth.
_MERGE = (
    "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
    " state = max(state, excluded.state), sends = max(sends, excluded.sends),"
    " sent_ms = max(sent_ms, excluded.sent_ms), dead = coalesce(excluded.dead, dead)"
)


MOST_MS = 1 << 62


def verify(connection: sqlite3.Connection) -> None:
    """Read every row against its checksum; raises sqlite3.DatabaseError for the first that is damaged."""
    newest_ms = 0
    for row in connection.execute("SELECT * FROM events ORDER BY id"):
        # numbers and times of commits ascend together; a time has no checksum of its own
        if not rows.is_whole(row) or not rows.has_sane_progress(row) or row[4] < newest_ms:
            raise trouble.damaged(f"event row {row[0]}")
        newest_ms = row[4]
    for row in connection.execute("SELECT * FROM losses"):
        if losses.from_row(row) is None:
            raise trouble.damaged(f"loss row {row[0]}")
    for number, epoch, cursor, floor, crc in connection.execute("SELECT * FROM epochs"):
        if Epoch(number, epoch, cursor, floor).crc() != crc:
            raise trouble.damaged(f"epoch row {number}")


def rebuild(path: Path, cause: str | None) -> None:
    """Read what can be read of ``path`` into a new file and put that in its place; raises an OutboxError.

    cause : why something may be lost; the new file says so from its first moment, in a gap that names no epoch
    """
    with translated(path):
        files.make_folder(path.parent)
        building = beside(path, "-new")
        remove_files(building)
        files.make_file(building)
        connection = database.connect(building)
        try:
            database.prepare(connection, log_bytes=_LOG_BYTES, synchronous="FULL")
            database.make_tables(connection)
            _fill(connection, carve(path, _log(path)))
            with transaction(connection):
                _complete(connection)
                losses.record(connection, [Loss(LossKind.GAP, cause, "", ())] if cause else [], 0)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
        _pack(path, building).rename(beside(path, "-ready"))
        files.sync_folder(path.parent)


def _pack(path: Path, building: Path) -> Path:
    """The new file without its half-empty pages, if the disk has room for both.

    Rows are found in the order of pages, not of numbers, and a tree filled that way takes a tenth more: what was full
    would be beyond its bound, without the reserve from which losses are told.
    """
    packed = beside(path, "-packed")
    remove_files(packed)
    files.make_file(packed)
    try:
        with closing(database.connect(building)) as connection:
            connection.execute("VACUUM INTO ?", (str(packed),))
        files.sync_file(packed)
    except (sqlite3.OperationalError, OSError):
        remove_files(packed)
        return building
    remove_files(building)
    return packed


def finish_exchange(path: Path, clock: Clock, *, keep: bool = True) -> Path | None:
    """Put a new file that is ready in the place of the old one; where the old one is now, if it was kept.

    Does nothing if none is ready. One set-aside file is kept, the newest.
    """
    ready = beside(path, "-ready")
    with translated(path):
        if not ready.exists():
            return None
        with files.door(path, alone=True):
            aside = _free_name(path, f".damaged-{clock.utc_now():%Y%m%dT%H%M%SZ}")
            had_file = path.exists()
            if had_file:
                path.rename(aside)
            if _log(path).exists():
                _log(path).rename(_log(aside))
            beside(path, "-shm").unlink(missing_ok=True)
            ready.rename(path)
            files.sync_folder(path.parent)
        _forget_set_aside(path, keep=aside if keep else None)
        return aside if keep and had_file else None


def name_holes(
    connection: sqlite3.Connection, highest: Mapping[str, int], elsewhere: Mapping[str, list[Span]], *, rebuilt: bool
) -> None:
    """After a rebuild, before anything else changes, say exactly which numbers are missing.

    highest : the last number committed, of the epochs in which this process knows it. Of others nobody knows how
        far they went: after damage their gaps have no end, after a torn log that of the newest has none. Of an epoch
        that left no trace not even that is known: the gap without an epoch stays to say so.
    elsewhere : what is safe in another file
    rebuilt : look even if the file does not say why it was rebuilt

    Numbers below an epoch's cursor or floor are not missing. More may be named than was lost (what another gap or
    summary told of long ago), never an event that is still held.
    """
    causes = [cause for (cause,) in connection.execute("SELECT cause FROM losses WHERE kind = 'gap' AND epoch = ''")]
    if not causes and not rebuilt:
        return
    with transaction(connection):
        here = accounted(connection)
        known = epochs.all_epochs(connection)
        # of an epoch whose own row and events are all gone, a loss may still speak
        named = {epoch.epoch for epoch in known}
        known = [*(Epoch(0, epoch) for epoch in sorted(here) if epoch and epoch not in named), *known]
        unknown = [epoch.epoch for epoch in known if epoch.epoch not in highest]
        endless = unknown if DAMAGE in causes else unknown[-1:] if causes else []
        cause = DAMAGE if DAMAGE in causes or not causes else causes[0]
        for epoch in known:
            covered = [*here.get(epoch.epoch, ()), *elsewhere.get(epoch.epoch, ())]
            last = max(highest.get(epoch.epoch, 0), epochs.highest_held(connection, epoch))
            missing = _missing(epoch, covered, last, endless=epoch.epoch in endless)
            if missing:
                losses.record(connection, [Loss(LossKind.GAP, cause, epoch.epoch, missing)], 0)


def accounted(connection: sqlite3.Connection) -> dict[str, list[Span]]:
    """By epoch, the numbers that a file holds or names as lost.

    A dead letter is lost: if nothing names it any more, it is missing.
    """
    found: dict[str, list[Span]] = {}
    for epoch in epochs.all_epochs(connection):
        ids = connection.execute(
            "SELECT id FROM events WHERE id BETWEEN ? AND ? AND state != ?",
            (epoch.first_id, epoch.last_id, int(State.DEAD)),
        )
        found[epoch.epoch] = [*of_numbers(number & SEQ_MASK for (number,) in ids)]
    for loss in losses.all_losses(connection):
        found.setdefault(loss.epoch, []).extend(loss.spans)
    return found


def _missing(epoch: Epoch, covered: list[Span], last: int, *, endless: bool) -> tuple[Span, ...]:
    last = max([last, *(span.last or span.first for span in covered)])
    given_up = max(epoch.cursor, epoch.floor)
    missing = holes(covered, given_up + 1, last)
    if endless and all(span.last is not None for span in covered):
        missing = merge((*missing, Span(max(last, given_up) + 1, None)))
    return missing


def _fill(connection: sqlite3.Connection, records: Iterator[Record]) -> None:
    while batch := list(islice(records, _BATCH)):
        with transaction(connection):
            for number, values in batch:
                _insert(connection, number, values)


def _insert(connection: sqlite3.Connection, number: int, values: tuple[Any, ...]) -> None:
    """Tables are told apart by their number of columns, rows from rubbish by their checksum."""
    row = (number, *values[1:])
    if len(row) == 14 and rows.is_whole(row) and rows.has_sane_progress(row):
        connection.execute(_MERGE, row)
    elif len(row) == 10 and (loss := losses.from_row(row)) is not None:
        fresh = losses.unnamed(connection, loss)  # a row stands in the log once for each time it grew
        if fresh or not loss.spans:
            losses.record(connection, [replace(loss, spans=fresh)], loss.opened_ms)
    elif len(row) == 5:
        _, epoch, cursor, floor, crc = row
        if Epoch(number, epoch, cursor, floor).crc() == crc:
            before = epochs.find(connection, epoch) or Epoch(number, epoch)
            epochs.save(connection, Epoch(number, epoch, max(before.cursor, cursor), max(before.floor, floor)))


def _complete(connection: sqlite3.Connection) -> None:
    """Epochs whose own row was lost, and no event that a loss has already named."""
    rows_of_epochs = connection.execute("SELECT DISTINCT id >> ?, epoch FROM events", (SEQ_BITS,)).fetchall()
    for number, epoch in rows_of_epochs:
        if epochs.find(connection, epoch) is None:
            epochs.save(connection, Epoch(number, epoch))
    _straighten_times(connection)
    for loss in losses.all_losses(connection):
        named = epochs.find(connection, loss.epoch)
        if named is None:
            continue
        for first, last in loss.spans:
            end = named.last_id if last is None else named.first_id + last
            connection.execute("DELETE FROM events WHERE id BETWEEN ? AND ?", (named.first_id + first, end))


def _straighten_times(connection: sqlite3.Connection) -> None:
    """No event is younger than the one after it: the order of sending goes by the time of the commit."""
    wrong, next_ms = [], MOST_MS
    for number, committed_ms in connection.execute("SELECT id, committed_ms FROM events ORDER BY id DESC"):
        if committed_ms > next_ms:
            wrong.append((next_ms, number))
        next_ms = min(next_ms, committed_ms)
    connection.executemany("UPDATE events SET committed_ms = ? WHERE id = ?", wrong)


def _forget_set_aside(path: Path, *, keep: Path | None) -> None:
    for old in path.parent.glob(f"{path.name}.damaged-*"):
        if keep is None or old not in (keep, _log(keep)):
            old.unlink(missing_ok=True)


def _free_name(path: Path, ending: str) -> Path:
    """A name not taken: a camera without a clock battery may find itself in the same second of 1970 again."""
    name, number = beside(path, ending), 1
    while name.exists():
        name, number = beside(path, f"{ending}-{number}"), number + 1
    return name


def remove_files(path: Path) -> None:
    for part in (path, _log(path), beside(path, "-shm")):
        part.unlink(missing_ok=True)


def _log(path: Path) -> Path:
    return beside(path, "-wal")


def suspect(path: Path) -> None:
    """Leave word for the writer that the file is damaged; the reader must not mend it under the writer's hands."""
    with translated(path):
        os.close(open_beside(path, "-suspect"))


def is_suspected(path: Path) -> bool:
    return beside(path, "-suspect").exists()


def clear_suspicion(path: Path) -> None:
    with translated(path):
        beside(path, "-suspect").unlink(missing_ok=True)
