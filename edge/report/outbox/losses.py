"""The record of what was dropped: in memory until the next commit, then in the file until an event tells of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from edge.report.outbox import rows
from edge.report.outbox.schema import SEQ_MASK, checksum
from edge.report.outbox.spans import MOST_SPANS, Span, from_text, holes, merge, to_text
from edge.report.outbox.values import DAMAGE, Loss, LossKind, Outgoing

_MINUTE_MS = 60_000
_SAME_KEY = (  # see Loss.key; newest first
    "SELECT * FROM losses WHERE kind = ? AND cause = ? AND epoch = ? AND camera = ? AND label = ? AND minute = ?"
    " ORDER BY id DESC"
)
_SETTLE_MS = 60_000  # a summary stays open for its whole minute, so that there is one per camera, label and minute


def gap(record: Outgoing, cause: str) -> Loss:
    """One event lost, of whatever severity."""
    return Loss(LossKind.GAP, cause, record.epoch, (Span(record.seq, record.seq),))


def summary(record: Outgoing, cause: str) -> Loss:
    """One low-severity event summed up."""
    return Loss(
        LossKind.SUMMARY,
        cause,
        record.epoch,
        (Span(record.seq, record.seq),),
        record.camera,
        record.label,
        record.happened_wall_ms // _MINUTE_MS,
    )


def of_row(row: rows.Row, cause: str) -> Loss:
    """What giving up a stored event means: a summary, or a gap if it is damaged; its number still says who it was."""
    stored = rows.from_row(row)
    if stored is not None:
        return summary(stored, cause)
    seq = row[0] & SEQ_MASK
    return Loss(LossKind.GAP, DAMAGE, str(row[1]), (Span(seq, seq),))


class LossBook:
    """Losses since the last commit, merged as they come."""

    def __init__(self) -> None:
        self._losses: dict[tuple[str, str, str, str, str, int], list[Span]] = {}

    def __bool__(self) -> bool:
        return bool(self._losses)

    def add(self, loss: Loss) -> None:
        spans = self._losses.setdefault(loss.key, [])
        spans.extend(loss.spans)
        if len(spans) > 1:
            # numbers come in ascending order: two spans are enough to look at, and the list stays short
            spans[-2:] = merge(spans[-2:])

    def take(self) -> tuple[Loss, ...]:
        """All of them; the book is empty afterwards."""
        taken = tuple(
            Loss(LossKind(kind), cause, epoch, merge(spans), camera, label, minute)
            for (kind, cause, epoch, camera, label, minute), spans in self._losses.items()
        )
        self._losses.clear()
        return taken


def record(connection: sqlite3.Connection, losses: Iterable[Loss], now_ms: int) -> None:
    """Make losses durable: the open row of the same kind grows, or a new one begins. Inside a transaction."""
    for loss in losses:
        before = _newest(connection, loss)
        spans = loss.spans if before is None else merge((*before.spans, *loss.spans))
        if before is not None and len(spans) <= MOST_SPANS:
            _write(connection, loss, spans=spans, opened_ms=before.opened_ms, row=before.row)
            continue
        for start in range(0, max(1, len(loss.spans)), MOST_SPANS):
            _write(connection, loss, spans=loss.spans[start : start + MOST_SPANS], opened_ms=now_ms, row=None)


def unnamed(connection: sqlite3.Connection, loss: Loss) -> tuple[Span, ...]:
    """What of a loss no row of its kind names yet."""
    rows = connection.execute(_SAME_KEY, loss.key)
    named = [span for row in rows if (found := from_row(row)) is not None for span in found.spans]
    is_endless = any(span.last is None for span in named)
    fresh: list[Span] = []
    for first, last in loss.spans:
        if last is not None:
            fresh += holes(named, first, last)
        elif not is_endless:
            fresh.append(Span(first, None))
    return tuple(fresh)


def due(connection: sqlite3.Connection, now_ms: int, limit: int) -> list[Loss]:
    """Losses that are complete and can be told, oldest first."""
    rows = connection.execute(
        "SELECT * FROM losses WHERE kind = ? OR opened_ms <= ? ORDER BY id LIMIT ?",
        (LossKind.GAP, now_ms - _SETTLE_MS, limit),
    )
    return [found for row in rows if (found := from_row(row)) is not None]


def all_losses(connection: sqlite3.Connection) -> list[Loss]:
    rows = connection.execute("SELECT * FROM losses ORDER BY id")
    return [found for row in rows if (found := from_row(row)) is not None]


def settle(connection: sqlite3.Connection, told: Loss) -> None:
    """An event in the same transaction tells of it now. A row that has grown meanwhile stays, and is told again."""
    connection.execute(
        "DELETE FROM losses WHERE id = ? AND epoch = ? AND spans = ?", (told.row, told.epoch, to_text(told.spans))
    )


def from_row(row: tuple[object, ...]) -> Loss | None:
    """The inverse of ``record``'s row; None if it is damaged."""
    number, kind, cause, epoch, camera, label, minute, opened_ms, spans, crc = row
    if not isinstance(number, int) or crc != checksum(kind, cause, epoch, camera, label, minute, opened_ms, spans):
        return None
    return Loss(
        LossKind(str(kind)),
        str(cause),
        str(epoch),
        from_text(str(spans)),
        str(camera),
        str(label),
        int(str(minute)),
        int(str(opened_ms)),
        number,
    )


def _newest(connection: sqlite3.Connection, loss: Loss) -> Loss | None:
    row = connection.execute(_SAME_KEY, loss.key).fetchone()
    return None if row is None else from_row(row)


def _write(
    connection: sqlite3.Connection, loss: Loss, *, spans: tuple[Span, ...], opened_ms: int, row: int | None
) -> None:
    facts = (*loss.key, opened_ms, to_text(spans))
    connection.execute(
        "INSERT OR REPLACE INTO losses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row, *facts, checksum(*facts)),
    )
