"""The reader's changes to one file: what was sent, confirmed, asked for again or given up.

They are not synced one by one (``synchronous=NORMAL``): a mark that a power cut takes back only means that an event
is sent once more, which its identity makes harmless. Long changes are made in portions, so that the write-ahead log
stays short and the writer is never kept out for long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from edge.report.outbox import epochs, losses
from edge.report.outbox.database import transaction
from edge.report.outbox.epochs import Epoch
from edge.report.outbox.schema import SEQ_MASK
from edge.report.outbox.spans import Span, holes, of_numbers
from edge.report.outbox.values import Loss, LossKind, Position, Replay, State

_PORTION = 64  # rows changed in one transaction: some 200 kB of log at most

Ids = Sequence[tuple[int]]


def acknowledge(connection: sqlite3.Connection, marks: Mapping[Position, tuple[State, str]], now_ms: int) -> None:
    """What became of events that were sent. Positions that are not in this file are none of its business."""
    remaining = list(marks.items())
    while remaining:
        portion, remaining = remaining[:_PORTION], remaining[_PORTION:]
        with transaction(connection):
            for position, (state, reason) in portion:
                epoch = epochs.find(connection, position.epoch)
                if epoch is None:
                    continue
                if state is State.DEAD:
                    _bury(connection, epoch, position.seq, reason, now_ms)
                else:
                    _take(connection, epoch.first_id + position.seq, state, now_ms)


def confirm(connection: sqlite3.Connection, cursor: Position, now_ms: int) -> None:
    """The consumer has everything up to here. A cursor beyond what is held counts as far as events are held."""
    epoch = epochs.find(connection, cursor.epoch)
    if epoch is None:
        return
    reached = min(cursor.seq, epochs.highest_held(connection, epoch))
    if reached > epoch.cursor:
        # what it has without our knowing (an acknowledgement was lost) need not be sent again
        ids = connection.execute(
            "SELECT id FROM events WHERE id > ? AND id <= ? AND state = ?",
            (epoch.first_id + epoch.cursor, epoch.first_id + reached, int(State.PENDING)),
        ).fetchall()
        _set_state(connection, ids, State.SENT, now_ms)
        with transaction(connection):
            epochs.save(connection, Epoch(epoch.number, epoch.epoch, reached, epoch.floor))


def replay(connection: sqlite3.Connection, epoch_text: str, first: int, last: int, now_ms: int) -> Replay:
    """Make events pending again; dead ones are missing, or they would fail and be asked for for ever."""
    epoch = epochs.find(connection, epoch_text)
    if epoch is None:
        return Replay((), holes((), first, last))
    # an epoch ends at SEQ_MASK: a larger number would be in another one's rows
    bounds = (epoch.first_id + max(first, 0), epoch.first_id + min(last, SEQ_MASK), int(State.DEAD))
    ids = connection.execute("SELECT id FROM events WHERE id BETWEEN ? AND ? AND state != ?", bounds).fetchall()
    _set_state(connection, ids, State.PENDING, now_ms)
    held = of_numbers(number & SEQ_MASK for (number,) in ids)
    return Replay(held, holes(held, first, last))


def retry_unheard(connection: sqlite3.Connection, now_ms: int) -> int:
    """Events that nobody was subscribed to become pending; how many."""
    ids = connection.execute("SELECT id FROM events WHERE state = ?", (int(State.UNHEARD),)).fetchall()
    _set_state(connection, ids, State.PENDING, now_ms)
    return len(ids)


def take_back_unsent(connection: sqlite3.Connection, now_ms: int) -> None:
    """Make pending what reads as taken by the broker, was never sent, and no cursor has passed.

    A flipped bit does that, for states have no checksum, or a kill between marking and moving the cursor. Sending one
    that has arrived is harmless.
    """
    for epoch in epochs.all_epochs(connection):
        ids = connection.execute(
            "SELECT id FROM events WHERE id > ? AND id <= ? AND sends = 0 AND state IN (?, ?)",
            (epoch.first_id + epoch.cursor, epoch.last_id, int(State.SENT), int(State.UNHEARD)),
        ).fetchall()
        _set_state(connection, ids, State.PENDING, now_ms)


def _take(connection: sqlite3.Connection, row: int, state: State, now_ms: int) -> None:
    connection.execute(
        "UPDATE events SET state = ?, sends = sends + 1, sent_ms = ? WHERE id = ? AND state != ?",
        (int(state), now_ms, row, int(State.DEAD)),
    )


def _bury(connection: sqlite3.Connection, epoch: Epoch, seq: int, reason: str, now_ms: int) -> None:
    """It can't be sent: a gap with that reason is recorded in the same transaction.

    An event that itself tells of a loss (severity 2) stays: nobody would know of that loss any more.
    """
    changed = connection.execute(
        "UPDATE events SET state = ?, dead = ?, sent_ms = ? WHERE id = ? AND state != ? AND severity != 2",
        (int(State.DEAD), reason, now_ms, epoch.first_id + seq, int(State.DEAD)),
    ).rowcount
    if changed:
        losses.record(connection, [Loss(LossKind.GAP, reason, epoch.epoch, (Span(seq, seq),))], now_ms)


def _set_state(connection: sqlite3.Connection, ids: Ids, state: State, now_ms: int) -> None:
    for start in range(0, len(ids), _PORTION):
        with transaction(connection):
            connection.executemany(
                "UPDATE events SET state = ?, sent_ms = ? WHERE id = ?",
                [(int(state), now_ms, row) for (row,) in ids[start : start + _PORTION]],
            )
