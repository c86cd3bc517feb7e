"""The bench's own processes. Never its milliseconds: those belong to the machine."""

from __future__ import annotations

from edge.assemble.bench import Bench, Setup
from edge.assemble.model import find
from edge.core.clock import BorrowedClock, SystemClock


class StarvedClock(BorrowedClock):
    """Time goes on while this process does not."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self._lost_ns = 0

    def starve(self, seconds: float) -> None:
        self._lost_ns += round(seconds * 1e9)

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self._lost_ns


def test_a_bench_that_was_starved_calls_no_process_hung() -> None:
    clock = StarvedClock()

    with Bench(Setup(find("edge-default"), "synthetic:", 1, overlap=True), clock) as bench:
        bench.run_frame()
        before = bench.pids
        clock.starve(120.0)

        for _ in range(3):
            bench.run_frame()

        assert bench.pids == before
