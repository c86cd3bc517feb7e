"""The words of the outbox: what is handed in, what comes out, and what is said about a loss."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from pathlib import Path

from edge.core.errors import ConfigError
from edge.core.events import EventMessage, Severity
from edge.report.outbox.spans import Span, count_of

PAYLOAD_LIMIT = 64 * 1024  # bytes; the broker profile's own max_packet_size
SMALLEST_BOUND = 1024 * 1024  # bytes; below this one large event could overrun the log that the bound sets aside
VOLATILE_BYTES = 8 * 1024 * 1024  # what a small camera can spare; some 6,000 events
_LARGEST_LOG = 4 * 1024 * 1024
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """One event's identity on this device; as a cursor: everything up to here, without a hole."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way out. The outbox knows nothing of what the payload says.

    epoch, seq : its identity, which the payload holds too; seq counts from 1 and no number is left out
    happened_wall_ms : picks the minute under which it is summed up when there is no room
    """

    epoch: str
    seq: int
    topic: str
    payload: bytes
    severity: Severity
    camera: str
    label: str
    happened_wall_ms: int

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.seq)


class State(IntEnum):
    """How far an event has come; the order is that of progress."""

    PENDING = 0
    SENT = 1  # the broker took it (reason 0)
    UNHEARD = 2  # the broker took it and had nobody to give it to (reason 16)
    DEAD = 3  # it can't be sent; a gap names it


@dataclass(frozen=True, slots=True)
class Stored:
    """One committed event, as the publisher reads it.

    age_ms : since it was committed, counting only time in which the device ran
    sends : times the broker has acknowledged it
    live : young enough to go before the backlog
    maybe_sent : committed before this reader was opened, so an earlier one may have sent it
    tells : it tells of a loss, so it can't be given up as a dead letter
    """

    position: Position
    topic: str
    payload: bytes
    severity: Severity
    camera: str
    label: str
    happened_wall_ms: int
    age_ms: int
    sends: int
    live: bool
    maybe_sent: bool
    tells: bool = False

    @property
    def is_replayed(self) -> bool:
        """Whether the contract's ``replayed`` is true of it: sent late, or possibly again."""
        return not self.live or self.maybe_sent or self.sends > 0


class LossKind(StrEnum):
    GAP = "gap"
    SUMMARY = "summary"


NO_SPACE = "space"  # the outbox's own bound
NO_DISK = "disk"  # the disk is nearly full, or can't be written
NO_MEMORY = "memory"  # the writer could not keep up
DAMAGE = "damage"  # the file was corrupt
TORN = "torn"  # the end of its log was unreadable: the power went, or the card forgot
OVERSIZE = "oversize"  # the payload is larger than any broker of ours takes


@dataclass(frozen=True, slots=True)
class Loss:
    """Events that will not be delivered one by one; durable from the commit that dropped them.

    kind : a summary stands for low-severity events of one camera, label and minute; a gap for anything
    cause : one of the words above, or the reason given with a dead letter
    epoch : of the events named; empty where a damaged file did not even tell that
    minute : wall minutes since 1970 (summaries; 0 in a gap)
    spans : exactly the numbers that are lost, ascending
    row : its number in the file, 0 while it is in memory
    """

    kind: LossKind
    cause: str
    epoch: str
    spans: tuple[Span, ...]
    camera: str = ""
    label: str = ""
    minute: int = 0
    opened_ms: int = 0
    row: int = 0

    @property
    def count(self) -> int:
        """Events named; those of a span without an end are unknown and not counted."""
        return count_of(self.spans)

    @property
    def key(self) -> tuple[str, str, str, str, str, int]:
        return (self.kind, self.cause, self.epoch, self.camera, self.label, self.minute)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to commit. ``settles`` is the loss that it tells of, so that both change together."""

    record: Outgoing
    settles: Loss | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay will bring, and what it can't."""

    held: tuple[Span, ...]
    missing: tuple[Span, ...]


class Guarantee(StrEnum):
    """Which promise is in force; said in ``info``."""

    CURSOR = "cursor"  # kept until the consumer has confirmed it
    WINDOW = "window"  # kept for a while after the broker has acknowledged it


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user decides.

    max_bytes : of the file and its write-ahead log together
    least_free : share of the disk that is left to others
    has_consumer : whether somebody confirms by cursor
    window_ms : without a consumer, how long an acknowledged event is kept; running time, see ``ageing``
    """

    max_bytes: int = 64 * 1024 * 1024
    least_free: float = 0.05
    has_consumer: bool = False
    window_ms: int = DAY_MS

    def __post_init__(self) -> None:
        if self.max_bytes < SMALLEST_BOUND:
            raise ConfigError(
                f"outbox: expected a bound of at least {SMALLEST_BOUND} bytes, found {self.max_bytes};"
                " raise max_megabytes"
            )
        if not 0.0 <= self.least_free < 1.0:
            raise ConfigError(f"outbox: the share of the disk to leave free must be 0 to 1, found {self.least_free}")

    @property
    def log_bytes(self) -> int:
        """What the bound sets aside for the write-ahead log."""
        return min(_LARGEST_LOG, self.max_bytes // 4)

    @property
    def group_bytes(self) -> int:
        """Of payload in one commit: what the log takes without outgrowing its share, in memory too."""
        return min(self.log_bytes, VOLATILE_BYTES // 4) // 4

    @property
    def sheltered(self) -> Policy:
        """The same for the file in memory."""
        return replace(self, max_bytes=min(VOLATILE_BYTES, self.max_bytes), least_free=0.0)

    @property
    def guarantee(self) -> Guarantee:
        return Guarantee.CURSOR if self.has_consumer else Guarantee.WINDOW


class Mode(StrEnum):
    """Where events are kept now."""

    DURABLE = "durable"
    VOLATILE = "volatile"  # in memory that outlives the process, not a power cut
    HELD = "held"  # nowhere but in this process


@dataclass(frozen=True, slots=True)
class OutboxReading:
    """What the outbox knows about itself, for health and info."""

    mode: Mode = Mode.HELD
    guarantee: Guarantee = Guarantee.WINDOW
    pending: int = 0
    used_bytes: int = 0
    is_full: bool = False
    waiting: int = 0
    lost: int = 0
    trouble: str = ""
    set_aside: tuple[Path, ...] = field(default=())


def outgoing(message: EventMessage) -> Outgoing:
    """What the outbox takes of an event."""
    return Outgoing(
        epoch=message.id.epoch,
        seq=message.id.seq,
        topic=message.topic,
        payload=message.payload,
        severity=message.severity,
        camera=message.camera,
        label=message.label,
        happened_wall_ms=message.happened_wall_ms,
    )
