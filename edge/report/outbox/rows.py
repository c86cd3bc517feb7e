"""Events as rows and back; a row that does not match its checksum is not an event any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from edge.core.events import Severity
from edge.report.outbox.epochs import Epoch
from edge.report.outbox.packing import pack, unpack
from edge.report.outbox.schema import SEQ_MASK, checksum, row_id
from edge.report.outbox.values import Outgoing, State

Row = tuple[Any, ...]

# The number in the row: 2 is an alert that tells of a loss, and must not itself be lost.
_SEVERITIES = (Severity.DETECTION, Severity.ALERT, Severity.ALERT)
_TELLS = 2

INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


def to_row(record: Outgoing, epoch_number: int, now_ms: int, *, tells: bool) -> Row:
    """A new row, pending; ``tells`` if it tells of a loss."""
    row = (
        row_id(epoch_number, record.seq),
        record.epoch,
        int(State.PENDING),
        0,
        now_ms,
        now_ms,  # when it was sent, once it is; a value of that size keeps its place
        _TELLS if tells else _SEVERITIES.index(record.severity),
        record.camera,
        record.label,
        record.happened_wall_ms,
        record.topic,
        None,
        0,
        pack(record.payload),
    )
    return (*row[:12], _checksum(row), row[13])


def is_whole(row: Sequence[Any]) -> bool:
    """Whether it is what was committed; its values may have become anything."""
    severity, crc, payload = row[6], row[12], row[13]
    return severity in range(len(_SEVERITIES)) and isinstance(payload, bytes) and crc == _checksum(row)


def from_row(row: Sequence[Any]) -> Outgoing | None:
    """What was committed; None if the row is damaged."""
    if not is_whole(row):
        return None
    number, epoch, _, _, _, _, severity, camera, label, happened_ms, topic, _, _, payload = row
    return Outgoing(epoch, number & SEQ_MASK, topic, unpack(payload), _SEVERITIES[severity], camera, label, happened_ms)


def tells(row: Sequence[Any]) -> bool:
    """Whether this event tells of a loss."""
    return bool(row[6] == _TELLS)


def has_sane_progress(row: Sequence[Any]) -> bool:
    """Whether the columns that change, and so have no checksum, hold what they may."""
    _, _, state, sends, committed_ms, sent_ms, _, _, _, _, _, dead, _, _ = row
    return (
        state in tuple(State)
        and isinstance(sends, int)
        and isinstance(committed_ms, int)
        and isinstance(sent_ms, int)
        and (dead is None or isinstance(dead, str))
    )


def count_sent(connection: sqlite3.Connection, epoch: Epoch) -> int:
    """Events of one epoch that the broker has taken, or that were held until nobody missed them any more."""
    found: int = connection.execute(
        "SELECT count(*) FROM events WHERE id > ? AND id <= ? AND (sends > 0 OR state IN (?, ?))",
        (epoch.first_id + epoch.floor, epoch.last_id, int(State.SENT), int(State.UNHEARD)),
    ).fetchone()[0]
    return epoch.floor + found


def count_pending(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM events WHERE state = 0").fetchone()[0]
    return found


def _checksum(row: Sequence[Any]) -> int:
    """Of the columns that never change."""
    number, epoch, _, _, _, _, severity, camera, label, happened_ms, topic, _, _, payload = row
    return checksum(number, epoch, severity, camera, label, happened_ms, topic, payload)
