"""Moves everything from one file into another: what memory has gathered, when the disk is back."""

from __future__ import annotations

from edge.report.outbox import epochs, losses, rows
from edge.report.outbox.database import transaction
from edge.report.outbox.epochs import Epoch
from edge.report.outbox.schema import SEQ_MASK, row_id
from edge.report.outbox.store import Store
from edge.report.outbox.trouble import translated
from edge.report.outbox.values import DAMAGE, Entry, Loss

_ROWS = 32  # per transaction


def move(source: Store, target: Store, *, most_bytes: int) -> dict[str, int]:
    """Everything, in the order of commits and a part at a time; the highest number of each epoch that was moved.

    Interrupted anywhere it can be done again: an identity is stored once, and nothing is removed before it is safe.

    most_bytes : of payload in one transaction
    """
    highest: dict[str, int] = {}
    with translated(target.path):
        shift_ms = target.ageing.now_ms() - source.ageing.now_ms()
        while found := _first_rows(source, most_bytes):
            _adopt(found, source, target, shift_ms)
            highest |= {row[1]: row[0] & SEQ_MASK for row in found}  # ascending: the last one counts
            with transaction(source.opened()):
                source.opened().executemany("DELETE FROM events WHERE id = ?", [(row[0],) for row in found])
        with transaction(target.opened()):
            losses.record(target.opened(), losses.all_losses(source.opened()), target.ageing.now_ms())
        with transaction(source.opened()):
            source.opened().execute("DELETE FROM losses")
    return highest


def _first_rows(source: Store, most_bytes: int) -> list[rows.Row]:
    """The oldest rows: at least one if there is any, and no more payload than that."""
    found: list[rows.Row] = []
    size = 0
    for row in source.opened().execute("SELECT * FROM events ORDER BY id LIMIT ?", (_ROWS,)):
        size += len(row[-1])
        if found and size > most_bytes:
            break
        found.append(row)
    return found


def _adopt(found: list[rows.Row], source: Store, target: Store, shift_ms: int) -> None:
    connection = target.opened()
    book = losses.LossBook()
    with transaction(connection):
        newest_ms = target.ageing.newest_ms(connection)
        for row in found:
            loss = _move_row(row, target, newest_ms=newest_ms, shift_ms=shift_ms)
            if loss is not None:
                book.add(loss)
        for epoch in epochs.all_epochs(source.opened()):
            mine = epochs.find_or_add(connection, epoch.epoch)
            epochs.save(connection, Epoch(mine.number, mine.epoch, max(mine.cursor, epoch.cursor), mine.floor))
        losses.record(connection, book.take(), target.ageing.now_ms())


def _move_row(row: rows.Row, target: Store, *, newest_ms: int, shift_ms: int) -> Loss | None:
    """One row, with how far it has come; the loss, if it finds no place."""
    now_ms = target.ageing.now_ms()
    record = rows.from_row(row)
    if record is None:
        return losses.of_row(row, DAMAGE)
    if rows.tells(row):
        # it must arrive whatever the bound says; if not even the reserve takes it, moving is tried again later
        target.make_room(record, now_ms, disk_low=False)
        target.insert(record, now_ms, tells=True)
    elif (loss := target.place(Entry(record), now_ms, disk_low=False)) is not None:
        return loss
    _, _, state, sends, committed_ms, sent_ms, *_ = row
    # the two files' times differ, and the order of commits is what the reader goes by
    committed_ms = max(newest_ms, committed_ms + shift_ms)
    target.opened().execute(
        "UPDATE events SET state = ?, sends = ?, committed_ms = ?, sent_ms = ? WHERE id = ?",
        (state, sends, committed_ms, sent_ms + shift_ms, row_id(target.number_of(record.epoch), record.seq)),
    )
    return None
