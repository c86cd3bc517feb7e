"""How busy the machine is, and how much of that is somebody else: timings on a busy machine say little."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.core.protocols import Clock

# Measured: from about this share of foreign load on, throughput figures move by more than they are compared with.
QUIET_SHARE = 0.12
# The kernel counts in ticks of 10 ms: over half a second on two cores that is 1 %.
_SAMPLE_S = 0.5
_STAT = Path("/proc/stat")
# clock_getcpuclockid(3): the clock of all of a process's time on processors, from its number.
_PID_SHIFT, _ALL_TIME = 3, 2
_IDLE_FIELDS = (3, 4)  # idle, iowait; proc(5)
_COUNTED_FIELDS = 8  # user .. steal; guest time is in user already


@dataclass(frozen=True, slots=True)
class LoadMark:
    """The counters at one instant: all the machine's processors together, and what is ours of it."""

    monotonic_ns: int
    busy_s: float
    own_s: float


def own_cpu_seconds() -> float:
    """CPU time of this process, all threads, user and system, and of its ended children."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def mark_load(clock: Clock, stat: Path = _STAT, *, own: Callable[[], float] = own_cpu_seconds) -> LoadMark:
    """The counters now; ``own`` : CPU seconds of all that is ours."""
    return LoadMark(clock.monotonic_ns(), _busy_seconds(stat), own())


def foreign_share(before: LoadMark, after: LoadMark, *, cores: int | None = None) -> float:
    """The part of the machine that others used between two marks, 0..1."""
    wall_s = (after.monotonic_ns - before.monotonic_ns) / 1e9
    foreign_s = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    capacity_s = wall_s * (cores or os.cpu_count() or 1)
    return min(1.0, max(0.0, foreign_s / capacity_s)) if capacity_s > 0 else 0.0


def wait_for_quiet(clock: Clock, *, limit_s: float) -> bool:
    """Wait until others leave the machine alone for half a second, at most so long; whether they did."""
    give_up_ns = clock.monotonic_ns() + round(limit_s * 1e9)
    while True:
        before = mark_load(clock)
        clock.sleep(_SAMPLE_S)
        if foreign_share(before, mark_load(clock)) <= QUIET_SHARE:
            return True
        if clock.monotonic_ns() >= give_up_ns:
            return False


def cpu_seconds_of(pid: int) -> float:
    """CPU time of a process so far, all threads, user and system; 0.0 of one that is gone."""
    try:
        return time.clock_gettime((~pid << _PID_SHIFT) | _ALL_TIME)
    except OSError:
        return 0.0


def memory_mb(pids: Iterable[int]) -> tuple[float | None, float | None]:
    """Of some processes together, in megabytes of 10^6 bytes: their share of memory (PSS) now, and their peaks.

    The peaks are of resident memory: what several processes have in common counts in each.
    """
    known = tuple(pids)
    pss = [_kilobytes(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in known]
    peaks = [_kilobytes(f"/proc/{pid}/status", "VmHWM:") for pid in known]
    return _total(pss), _total(peaks)


def _total(figures: list[float | None]) -> float | None:
    found = [figure for figure in figures if figure is not None]
    return round(sum(found), 1) if found and len(found) == len(figures) else None


def _kilobytes(file: str, key: str) -> float | None:
    try:
        lines = Path(file).read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith(key)), None)
    return None if found is None else int(found) * 1024 / 1e6


def _busy_seconds(stat: Path) -> float:
    try:
        fields = [int(field) for field in stat.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    except (OSError, ValueError):
        return 0.0  # a system that does not tell: nothing is called foreign
    counted = fields[:_COUNTED_FIELDS]
    return (sum(counted) - sum(counted[i] for i in _IDLE_FIELDS)) / os.sysconf("SC_CLK_TCK")
