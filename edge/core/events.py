"""What happened, as values: what the rules say, and the events that are told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from edge.core.values import FrameSize, Message, ModelRef, StageTimes, Track


class EventType(StrEnum):
    """What can happen; the contract's own words (docs/messages.md)."""

    TRACK_START = "track_start"
    TRACK_UPDATE = "track_update"
    TRACK_END = "track_end"
    ZONE_ENTER = "zone_enter"
    ZONE_EXIT = "zone_exit"
    LINE_CROSS = "line_cross"
    DWELL = "dwell"
    COUNT = "count"
    ABSENCE = "absence"
    CAMERA_OFFLINE = "camera_offline"
    CAMERA_ONLINE = "camera_online"
    CAMERA_FROZEN = "camera_frozen"
    CAMERA_IMPAIRED = "camera_impaired"
    ACCELERATOR_LOST = "accelerator_lost"
    ACCELERATOR_BACK = "accelerator_back"
    MODEL_ROLLED_BACK = "model_rolled_back"
    GAP = "gap"
    SUMMARY = "summary"


class Severity(StrEnum):
    DETECTION = "detection"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class EventId:
    """The identity of an event: never reused, gaps are visible."""

    device: str
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of a rule, with what was found and what was asked."""

    condition: str
    value: float
    threshold: float


@dataclass(frozen=True, slots=True)
class RuleHit:
    name: str
    severity: Severity
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class LineCrossing:
    name: str
    direction: str  # "in" | "out"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened, before it is given an identity.

    happened_ns, happened_at : when it happened, which for an end is when the thing was last seen
    frame_sequence : of the frame it happened in
    reason : a code that says why, where something is wrong with a camera
    """

    type: EventType
    happened_ns: int
    happened_at: datetime
    frame_sequence: int
    track: Track | None = None
    zones: tuple[str, ...] = ()
    line: LineCrossing | None = None
    rule: RuleHit | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How many of a label are there now.

    zone : None = in the whole picture
    """

    label: str
    count: int
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class LineCount:
    """How often a line was crossed each way.

    since_ms : Unix time in milliseconds at which the counting began
    """

    line: str
    entered: int
    left: int
    since_ms: int


Standing = Occupancy | LineCount
"""What holds until the next one is told; the last word is the only one that counts."""


@dataclass(frozen=True, slots=True)
class EventTime:
    """When, and how far to trust it."""

    wall_ms: int
    monotonic_ms: int
    boot_id: str
    synced: bool
    uncertainty_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LostEvents:
    """Earlier events that will not come, told by a gap or a summary.

    ranges : first and last number, both included; last None = to the end of the epoch
    since_wall_ms : when the minute began that a summary stands for; None in a gap
    """

    epoch: str
    ranges: tuple[tuple[int, int | None], ...]
    cause: str
    count: int
    since_wall_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, ready to be told.

    label : of what a summary stands for; where something is tracked its label counts
    """

    id: EventId
    camera: str
    occurrence: Occurrence
    time: EventTime
    frame: FrameSize | None = None
    model: ModelRef | None = None
    backend: str = "cpu"
    latency: StageTimes = field(default_factory=StageTimes)
    replayed: bool = False
    label: str | None = None
    lost: LostEvents | None = None

    @property
    def severity(self) -> Severity:
        """A rule's word; without one, news of the device itself matter, and a track's life does not."""
        occurrence = self.occurrence
        if occurrence.rule is not None:
            return occurrence.rule.severity
        return Severity.DETECTION if occurrence.track is not None else Severity.ALERT


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage(Message):
    """An event as a message, with what the outbox has to know of it."""

    id: EventId
    severity: Severity
    camera: str
    label: str = ""
    happened_wall_ms: int = 0
