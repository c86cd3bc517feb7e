"""What the service does without when the machine gets hot, its supply weak or its work late; and when it takes it back.

One rung at a time: fewer frames, then a tighter motion gate, then a smaller model. Down quickly, up slowly.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# The Pi 4's and 5's firmware slows the clock down from 80 degrees on (Raspberry Pi documentation, frequency
# management). We stay below it, and come back well below that.
_HOT_C, _TOO_HOT_C, _COOL_C = 78.0, 82.0, 72.0
_STRAINED_FLAGS = frozenset({"under_voltage", "frequency_capped", "throttled", "soft_temperature_limit"})
_OLD_MS, _FRESH_MS = 1000.0, 400.0  # age of a frame when work on it begins
_LATE, _PUNCTUAL = 0.05, 0.01  # part of the frames that missed their deadline

_DOWN_S = 30.0  # a rung needs as long to show on a heat sink
_DOWN_TOO_HOT_S = 10.0
_UP_S = 120.0  # of calm before a rung is taken back
_UP_LONGEST_S = 3600.0
_RELAPSE_S = 600.0  # trouble again within this time after going up: next time we wait twice as long


@dataclass(frozen=True, slots=True)
class Strain:
    """What the machine and the work look like now; None = not known here.

    flags : of the firmware, those that hold now
    queue_age_ms : p95 of a frame's age when work on it began
    late : part of the frames, 0..1, that missed their deadline
    """

    temperature_c: float | None = None
    flags: tuple[str, ...] = ()
    queue_age_ms: float | None = None
    late: float | None = None

    @property
    def causes(self) -> tuple[str, ...]:
        """Why less should be done; empty = nothing against it."""
        found = {
            "hot": self.temperature_c is not None and self.temperature_c >= _HOT_C,
            "throttled": bool(_STRAINED_FLAGS.intersection(self.flags)),
            "late": (self.late or 0.0) >= _LATE or (self.queue_age_ms or 0.0) >= _OLD_MS,
        }
        return tuple(cause for cause, holds in found.items() if holds)

    @property
    def is_calm(self) -> bool:
        """Nothing speaks against doing more; between strained and calm, things stay as they are."""
        return (
            not _STRAINED_FLAGS.intersection(self.flags)
            and (self.temperature_c is None or self.temperature_c <= _COOL_C)
            and (self.queue_age_ms or 0.0) <= _FRESH_MS
            and (self.late or 0.0) <= _PUNCTUAL
        )


@dataclass(frozen=True, slots=True)
class Restraint:
    """What is done without.

    rate : part of the usual frame rate, 0..1
    tightness : so many times more must change than usual before the gate lets a frame through; 1 = as configured
    smaller_model : whether the model's smaller sister is to do the work
    """

    rate: float = 1.0
    tightness: float = 1.0
    smaller_model: bool = False


LADDER = (
    Restraint(),
    Restraint(rate=0.75),
    Restraint(rate=0.5),
    Restraint(rate=0.5, tightness=2.0),
    Restraint(rate=0.5, tightness=2.0, smaller_model=True),
)


class Step(StrEnum):
    DOWN = "down"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Change:
    """One rung; ``causes`` are why, empty on the way up."""

    step: Step
    restraint: Restraint
    causes: tuple[str, ...] = ()


class Governor:
    """Times are monotonic seconds.

    Parameters
    ----------
    has_smaller_model : whether there is a last rung
    haste : so many times sooner than a heat sink would want it each step comes; for trials
    """

    def __init__(self, *, has_smaller_model: bool = False, haste: float = 1.0) -> None:
        self._ladder = LADDER if has_smaller_model else LADDER[:-1]
        self._haste = haste
        self._rung = 0
        self._changed_s: float | None = None
        self._calm_since_s: float | None = None
        self._risen_s: float | None = None
        self._patience_s = _UP_S

    @property
    def restraint(self) -> Restraint:
        return self._ladder[self._rung]

    @property
    def is_restrained(self) -> bool:
        return self._rung > 0

    def look(self, strain: Strain, now_s: float) -> Change | None:
        """The change that this asks for; None = stay."""
        causes, now_s = strain.causes, now_s * self._haste
        if causes:
            self._calm_since_s = None
            return self._go_down(strain, causes, now_s)
        if not strain.is_calm:
            self._calm_since_s = None
            return None
        if self._calm_since_s is None:
            self._calm_since_s = now_s
        return self._go_up(now_s)

    def _go_down(self, strain: Strain, causes: tuple[str, ...], now_s: float) -> Change | None:
        is_urgent = strain.temperature_c is not None and strain.temperature_c >= _TOO_HOT_C
        dwell_s = _DOWN_TOO_HOT_S if is_urgent else _DOWN_S
        if self._rung + 1 >= len(self._ladder) or not self._has_dwelt(dwell_s, now_s):
            return None
        if self._risen_s is not None and now_s - self._risen_s < _RELAPSE_S:
            self._patience_s = min(_UP_LONGEST_S, self._patience_s * 2)
            self._risen_s = None
        return self._move(Step.DOWN, causes, now_s)

    def _go_up(self, now_s: float) -> Change | None:
        calm_s = now_s - (now_s if self._calm_since_s is None else self._calm_since_s)
        if self._rung == 0:
            if calm_s >= _UP_LONGEST_S:
                self._patience_s = _UP_S
            return None
        if calm_s < self._patience_s or not self._has_dwelt(self._patience_s, now_s):
            return None
        self._risen_s = now_s
        return self._move(Step.UP, (), now_s)

    def _move(self, step: Step, causes: tuple[str, ...], now_s: float) -> Change:
        self._rung += 1 if step is Step.DOWN else -1
        self._changed_s = now_s
        return Change(step, self.restraint, causes)

    def _has_dwelt(self, dwell_s: float, now_s: float) -> bool:
        return self._changed_s is None or now_s - self._changed_s >= dwell_s
