"""Latencies."""

from __future__ import annotations

from collections.abc import Mapping


class Histogram:
    """Latencies in steps of 10 microseconds up to 10 s, in bounded memory."""

    def __init__(self) -> None:
        self._steps = [0] * 1_000_001
        self.count = 0

    def add(self, nanoseconds: int) -> None:
        self._steps[min(1_000_000, nanoseconds // 10_000)] += 1
        self.count += 1

    def counts(self) -> dict[int, int]:
        """By step, where there is anything: to be added to another one."""
        return {step: count for step, count in enumerate(self._steps) if count}

    def merge(self, counts: Mapping[str, int]) -> None:
        """Add what another one counted; JSON makes the steps text."""
        for step, count in counts.items():
            self._steps[int(step)] += count
            self.count += count

    def figures(self) -> dict[str, float]:
        """Milliseconds."""
        if not self.count:
            return {}
        wanted = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999, "max": 1.0}
        found: dict[str, float] = {}
        seen = 0
        for step, count in enumerate(self._steps):
            seen += count
            for name, share in wanted.items():
                if name not in found and seen >= share * self.count:
                    found[name] = round((step + 1) / 100, 2)
        return found
