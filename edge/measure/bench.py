"""The whole path against the bare model: blocks of both in turns, in one process, so that both meet one moment.

The path is the service's own processes; the bare runs are done by the one that runs the model.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from edge.core.protocols import Clock
from edge.measure.machine_load import QUIET_SHARE, foreign_share, mark_load

# A block lasts this part of the time that is asked for, within these bounds.
_BLOCKS = 16
_SHORTEST_S, _LONGEST_S = 0.2, 0.5
# What is on its way when a block begins, and was worked on before, is not counted: each slot's frame, and some more.
_LEAD_IN = 10


class BareRuns(Protocol):
    """What came of running the model alone for a while; see ``edge.service.infer_letters.Exercised``."""

    @property
    def runs_ms(self) -> list[float]: ...

    @property
    def seconds(self) -> float: ...

    @property
    def cpu_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured.

    run_bare : the runtime's run alone, on what its input holds, for so many seconds
    run_frame : the next frame through the whole path; milliseconds of each of its stages
    cpu_s : CPU time of all processes that take part, so far
    """

    run_bare: Callable[[float], BareRuns]
    run_frame: Callable[[], dict[str, float]]
    cpu_s: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Block:
    """Some second of one kind of work.

    runs : milliseconds of each run or frame
    stages : per frame of the whole path
    foreign : the part of the machine that others used, 0..1
    """

    runs: list[float]
    seconds: float
    cpu_s: float
    foreign: float
    stages: list[dict[str, float]] = field(default_factory=list)

    @property
    def fps(self) -> float:
        return len(self.runs) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Of one run, or of one frame in all processes."""
        return self.cpu_s * 1e3 / len(self.runs)

    @property
    def is_quiet(self) -> bool:
        return self.foreign <= QUIET_SHARE


@dataclass(frozen=True, slots=True)
class Pair:
    """A block of each kind, one right after the other."""

    bare: Block
    whole: Block

    @property
    def is_quiet(self) -> bool:
        return self.bare.is_quiet and self.whole.is_quiet

    @property
    def ratio(self) -> float:
        return self.whole.fps / self.bare.fps


@dataclass(frozen=True, slots=True)
class Measured:
    """pairs : those the figures come from; ``dropped`` others were disturbed. Not quiet = all were, and all count."""

    pairs: list[Pair]
    dropped: int
    is_quiet: bool


def measure(subject: Subject, clock: Clock, *, seconds: float, patience_s: float) -> Measured:
    """Pairs of blocks until quiet ones of so many seconds are there, or the patience is at its end.

    Parameters
    ----------
    seconds : of measuring, both kinds together
    patience_s : so much longer at most, while others disturb
    """
    block_s = min(_LONGEST_S, max(_SHORTEST_S, seconds / _BLOCKS))
    wanted = max(1, round(seconds / (2 * block_s)))
    last_ns = clock.monotonic_ns() + round((seconds + patience_s) * 1e9)
    pairs: list[Pair] = []
    while sum(pair.is_quiet for pair in pairs) < wanted and (not pairs or clock.monotonic_ns() < last_ns):
        pairs.append(_measure_pair(subject, clock, block_s, whole_first=len(pairs) % 2 == 1))
    quiet = [pair for pair in pairs if pair.is_quiet]
    is_quiet = 2 * len(quiet) >= wanted
    return Measured(quiet if is_quiet else pairs, len(pairs) - len(quiet) if is_quiet else 0, is_quiet)


def _measure_pair(subject: Subject, clock: Clock, block_s: float, *, whole_first: bool) -> Pair:
    # In turns, so that a drift of the clock rate or of the temperature falls on both alike.
    if whole_first:
        whole = _measure_whole(subject, clock, block_s)
        return Pair(_measure_bare(subject, clock, block_s), whole)
    bare = _measure_bare(subject, clock, block_s)
    return Pair(bare, _measure_whole(subject, clock, block_s))


def _measure_bare(subject: Subject, clock: Clock, block_s: float) -> Block:
    before = mark_load(clock, own=subject.cpu_s)
    bare = subject.run_bare(block_s)
    after = mark_load(clock, own=subject.cpu_s)
    return Block(list(bare.runs_ms), bare.seconds, bare.cpu_s, foreign_share(before, after))


def _measure_whole(subject: Subject, clock: Clock, block_s: float) -> Block:
    for _ in range(_LEAD_IN):
        subject.run_frame()
    before = mark_load(clock, own=subject.cpu_s)
    runs, stages, began_ns = [], [], before.monotonic_ns
    end_ns = began_ns + round(block_s * 1e9)
    while began_ns < end_ns:
        stages.append(subject.run_frame())
        ended_ns = clock.monotonic_ns()
        runs.append((ended_ns - began_ns) / 1e6)
        began_ns = ended_ns
    after = mark_load(clock, own=subject.cpu_s)
    seconds = (began_ns - before.monotonic_ns) / 1e9
    return Block(runs, seconds, after.own_s - before.own_s, foreign_share(before, after), stages)


def median_of(values: list[float]) -> float:
    """0.0 of nothing."""
    return statistics.median(values) if values else 0.0
