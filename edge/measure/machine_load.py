"""How busy the machine is, and how much of that is somebody else: timings on a busy machine say little."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from edge.core.protocols import Clock

# Measured: from about this share of foreign load on, throughput figures move by more than they are compared with.
QUIET_SHARE = 0.12
# The kernel counts in ticks of 10 ms: over half a second on two cores that is 1 %.
_SAMPLE_S = 0.5
_STAT = Path("/proc/stat")
_IDLE_FIELDS = (3, 4)  # idle, iowait; proc(5)
_COUNTED_FIELDS = 8  # user .. steal; guest time is in user already


@dataclass(frozen=True, slots=True)
class LoadMark:
    """The counters at one instant: all the machine's processors together, and this process with its children."""

    monotonic_ns: int
    busy_s: float
    own_s: float


def mark_load(clock: Clock, stat: Path = _STAT) -> LoadMark:
    """The counters now."""
    return LoadMark(clock.monotonic_ns(), _busy_seconds(stat), own_cpu_seconds())


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


def own_cpu_seconds() -> float:
    """CPU time of this process, all threads, user and system, and of its ended children."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def own_memory_mb() -> tuple[float | None, float | None]:
    """This process's share of memory (PSS) now and its peak of resident memory, in megabytes of 10^6 bytes."""
    return _kilobytes("/proc/self/smaps_rollup", "Pss:"), _kilobytes("/proc/self/status", "VmHWM:")


def _kilobytes(file: str, key: str) -> float | None:
    try:
        lines = Path(file).read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith(key)), None)
    return None if found is None else round(int(found) * 1024 / 1e6, 1)


def _busy_seconds(stat: Path) -> float:
    try:
        fields = [int(field) for field in stat.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    except (OSError, ValueError):
        return 0.0  # a system that does not tell: nothing is called foreign
    counted = fields[:_COUNTED_FIELDS]
    return (sum(counted) - sum(counted[i] for i in _IDLE_FIELDS)) / os.sysconf("SC_CLK_TCK")
