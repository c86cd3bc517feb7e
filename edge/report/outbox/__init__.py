"""The outbox: events wait here, durably, until they have arrived. See docs/decisions/0006-outbox.md."""

from edge.report.outbox.keeper import Keeper
from edge.report.outbox.reader import OutboxReader
from edge.report.outbox.values import (
    Guarantee,
    Loss,
    LossKind,
    Mode,
    OutboxReading,
    Outgoing,
    Policy,
    Position,
    Replay,
    Stored,
)
from edge.report.outbox.writer import OutboxWriter

__all__ = [
    "Guarantee",
    "Keeper",
    "Loss",
    "LossKind",
    "Mode",
    "OutboxReader",
    "OutboxReading",
    "OutboxWriter",
    "Outgoing",
    "Policy",
    "Position",
    "Replay",
    "Stored",
]
