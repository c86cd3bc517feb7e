"""What the service measures about itself: frames, drops, and where the milliseconds go."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from edge.core.values import StageTimes

# About half a minute at 20 frames/s: long enough for a p95, short enough to show a change in the next report.
_WINDOW = 600
_STAGES = ("capture", "preprocess", "infer", "decode", "total")


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Milliseconds."""

    p50: float
    p95: float


class StageMeter:
    """The times of the newest frames, stage by stage."""

    def __init__(self) -> None:
        self._times: deque[StageTimes] = deque(maxlen=_WINDOW)

    def add(self, times: StageTimes) -> None:
        self._times.append(times)

    def quantiles(self) -> dict[str, Quantiles]:
        """p50 and p95 of each stage; empty when nothing was measured yet."""
        if not self._times:
            return {}
        return {stage: _quantiles([getattr(times, stage) for times in self._times]) for stage in _STAGES}


def _quantiles(values: list[float]) -> Quantiles:
    ordered = sorted(values)
    last = len(ordered) - 1
    return Quantiles(p50=ordered[round(last * 0.5)], p95=ordered[round(last * 0.95)])


class RateMeter:
    """Frames per second, over the time since it was last read."""

    def __init__(self, now_ns: int) -> None:
        self._count = 0
        self._since_ns = now_ns
        self.total = 0

    def add(self) -> None:
        self._count += 1
        self.total += 1

    def read(self, now_ns: int) -> float:
        """Frames per second since the last reading."""
        elapsed_s = (now_ns - self._since_ns) / 1e9
        rate = self._count / elapsed_s if elapsed_s > 0 else 0.0
        self._count, self._since_ns = 0, now_ns
        return rate


def merge_drops(*parts: Counter[str]) -> dict[str, int]:
    """Drops by cause, all parts of the program together."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))
