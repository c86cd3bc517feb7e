"""Which stages advance: what the watchdog is told is progress, not life."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.core.protocols import Clock

_COUNTED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of the service that works by itself.

    beat : something that changes whenever the stage advances; None = it has nothing to do, and that is no standstill
    patience_s : how long it may stay the same
    """

    name: str
    beat: Callable[[], object]
    patience_s: Callable[[], float]


class Progress:
    """Notices stages that stand still.

    Of the time between two looks 2 s count at most: when all of this process was held up (a suspended machine, a
    debugger), its stages are not to blame.
    """

    def __init__(self, stages: Iterable[Stage], clock: Clock) -> None:
        self._clock = clock
        self._looked_ns = clock.monotonic_ns()
        self._stages = tuple(stages)
        self._beats = [stage.beat() for stage in self._stages]
        self._still_ns = [0] * len(self._stages)

    def stalled(self) -> tuple[str, ...]:
        """The stages that have something to do and have not advanced for longer than they may."""
        now_ns = self._clock.monotonic_ns()
        passed_ns = min(_COUNTED_NS, now_ns - self._looked_ns)
        self._looked_ns = now_ns
        return tuple(stage.name for place, stage in enumerate(self._stages) if self._stands_still(place, passed_ns))

    def _stands_still(self, place: int, passed_ns: int) -> bool:
        stage, before = self._stages[place], self._beats[place]
        beat = self._beats[place] = stage.beat()
        self._still_ns[place] = 0 if beat is None or beat != before else self._still_ns[place] + passed_ns
        return self._still_ns[place] >= stage.patience_s() * 1e9
