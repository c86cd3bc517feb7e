"""How often is too often: a model that ends its process again and again is not started for ever."""

from __future__ import annotations

from collections import deque

_MOST = 3
_WITHIN_NS = 60 * 1_000_000_000


class Relapses:
    """Counts crashes over a minute."""

    def __init__(self) -> None:
        self._crashes: deque[int] = deque(maxlen=_MOST)

    def add(self, now_ns: int) -> bool:
        """Another crash; whether it is the third within a minute."""
        self._crashes.append(now_ns)
        return len(self._crashes) == _MOST and now_ns - self._crashes[0] <= _WITHIN_NS

    def forget(self) -> None:
        """Another model runs."""
        self._crashes.clear()
