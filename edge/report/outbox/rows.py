"""Events as rows and back; a row that does not match its checksum is not an event any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from edge.core.values import Severity
from edge.report.outbox.schema import SEQ_MASK, checksum, row_id
from edge.report.outbox.values import Outgoing, State

Row = tuple[Any, ...]

_SEVERITIES = (Severity.DETECTION, Severity.ALERT)

INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


def to_row(record: Outgoing, epoch_number: int, now_ms: int) -> Row:
    """A new row, pending."""
    severity = _SEVERITIES.index(record.severity)
    number = row_id(epoch_number, record.seq)
    crc = _checksum(number, record)
    return (
        number,
        record.epoch,
        int(State.PENDING),
        0,
        now_ms,
        now_ms,  # when it was sent, once it is; a value of that size keeps its place
        severity,
        record.camera,
        record.label,
        record.happened_wall_ms,
        record.topic,
        None,
        crc,
        record.payload,
    )


def from_row(row: Sequence[Any]) -> Outgoing | None:
    """What was committed; None if the row is damaged, whatever its values have become."""
    number, epoch, _, _, _, _, severity, camera, label, happened_ms, topic, _, crc, payload = row
    if not isinstance(severity, int) or not 0 <= severity < len(_SEVERITIES) or not isinstance(payload, bytes):
        return None
    record = Outgoing(epoch, number & SEQ_MASK, topic, payload, _SEVERITIES[severity], camera, label, happened_ms)
    return record if _checksum(number, record) == crc else None


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


def count_pending(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM events WHERE state = 0").fetchone()[0]
    return found


def _checksum(number: int, record: Outgoing) -> int:
    return checksum(
        number,
        record.epoch,
        record.topic,
        record.severity,
        record.camera,
        record.label,
        record.happened_wall_ms,
        record.payload,
    )
