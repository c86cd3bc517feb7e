"""When to come back after a connection has ended, and speaking which version."""

from __future__ import annotations

from collections.abc import Callable

from edge.wire.backoff import Backoff
from edge.wire.dialect import Dialect
from edge.wire.packets import Version
from edge.wire.reasons import Cause, Ending
from edge.wire.settings import Pace


class Comeback:
    """Remembers how the last connections ended."""

    def __init__(self, pace: Pace, *, chance: Callable[[], float] | None = None) -> None:
        self._pace = pace
        self._dialect = Dialect()
        self._backoff = Backoff(first_s=pace.backoff_first_s, longest_s=pace.backoff_longest_s, chance=chance)
        self.short_lives = 0

    @property
    def version(self) -> Version:
        """To be spoken by the next connection."""
        return self._dialect.version

    def stumble_s(self) -> float:
        """The pause after an attempt that did not even come to the network."""
        return self._backoff.next_s()

    def pause_s(self, ending: Ending, *, lived_s: float | None) -> float:
        """The pause before the next attempt.

        lived_s : how long the broker had us; None = it never welcomed us
        """
        is_stable = lived_s is not None and lived_s >= self._pace.stable_s
        if is_stable:
            self._backoff.reset()
        self.short_lives = self.short_lives + 1 if lived_s is not None and not is_stable else 0
        if self._dialect.note(Cause.LOST if lived_s is not None else ending.cause):
            return 0.0
        if ending.cause is Cause.REFUSED:
            return self._backoff.spread(self._pace.refused_s)
        return self._backoff.next_s()
