"""How long to wait before the next attempt."""

from __future__ import annotations

import secrets
from collections.abc import Callable


class Backoff:
    """Doubling with full jitter, so that a thousand cameras do not come back in step.

    Parameters
    ----------
    first_s, longest_s : the shortest and the longest wait
    chance : a number 0 <= x < 1, by default a random one

    Notes
    -----
    The n-th wait is uniform between ``first_s`` and ``min(longest_s, first_s * 2 ** n)``, n from 1.
    Source: Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
    """

    def __init__(self, *, first_s: float, longest_s: float, chance: Callable[[], float] | None = None) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._chance = chance or secrets.SystemRandom().random
        self._failures = 0

    def next_s(self) -> float:
        """The wait after one more failure."""
        # 2 ** 32 half seconds are a century: beyond that only the number would grow.
        self._failures = min(32, self._failures + 1)
        ceiling = min(self._longest_s, self._first_s * 2.0**self._failures)
        return self._first_s + self._chance() * max(0.0, ceiling - self._first_s)

    def spread(self, seconds: float) -> float:
        """A fixed wait with up to a quarter on top, for the same reason."""
        return seconds * (1.0 + self._chance() / 4)

    def reset(self) -> None:
        """It worked: the next failure starts small again."""
        self._failures = 0
