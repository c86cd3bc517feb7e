"""How often something may happen."""

from __future__ import annotations

from edge.core.protocols import Clock

_NS_PER_S = 1_000_000_000


class TokenBucket:
    """So many at once, then so many a minute, by the clock that never steps.

    Parameters
    ----------
    per_minute : tokens that come back, > 0
    burst : the most that can be saved up
    """

    def __init__(self, per_minute: float, burst: int, clock: Clock) -> None:
        self._per_ns = per_minute / 60 / _NS_PER_S
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled_ns = clock.monotonic_ns()

    def take(self) -> bool:
        """Whether there was a token."""
        now_ns = self._clock.monotonic_ns()
        self._tokens = min(self._burst, self._tokens + (now_ns - self._filled_ns) * self._per_ns)
        self._filled_ns = now_ns
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
