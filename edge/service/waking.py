"""Time that passes while we run: what may be asked of a process is counted by it."""

from __future__ import annotations

from edge.core.clock import BorrowedClock
from edge.core.protocols import Clock

TURN_S = 0.5  # a turn of the service's loop takes 0.2 s at most


class WakingClock(BorrowedClock):
    """The machine's clock without the times in which this process was not given the processor.

    Whoever was frozen, or starved, finds all deadlines over when it comes to itself again, and would end processes that
    were frozen with it. From one look at this clock to the next, ``longest_s`` passes at most; it is to be looked at in
    each turn of a loop. Its monotonic time is good for durations alone: it falls behind that of frames.
    """

    def __init__(self, clock: Clock, longest_s: float = TURN_S) -> None:
        super().__init__(clock)
        self._longest_ns = round(longest_s * 1e9)
        self._seen_ns = clock.monotonic_ns()
        self._slept_ns = 0

    def monotonic_ns(self) -> int:
        """Nanoseconds awake."""
        now_ns = self._clock.monotonic_ns()
        self._slept_ns += max(0, now_ns - self._seen_ns - self._longest_ns)
        self._seen_ns = now_ns
        return now_ns - self._slept_ns
