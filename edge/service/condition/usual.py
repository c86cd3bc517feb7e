"""What a number usually is: learnt quickly at first, then slowly followed."""

from __future__ import annotations


class Usual:
    """A mean that follows its number with the time constant ``over_s``, and before that averages all it has seen."""

    def __init__(self, over_s: float) -> None:
        self._over_s = over_s
        self._seen_s = 0.0
        self._last_s: float | None = None
        self.value: float | None = None

    @property
    def seen_s(self) -> float:
        """For how long it has learnt."""
        return self._seen_s

    def learn(self, value: float, now_s: float) -> None:
        """One more; gaps (while nothing was to be learnt) count as a second at most."""
        passed_s = 0.0 if self._last_s is None else min(1.0, max(0.0, now_s - self._last_s))
        self._last_s = now_s
        self._seen_s += passed_s
        if self.value is None:
            self.value = value
            return
        weight = passed_s / max(min(self._seen_s, self._over_s), 1e-9)
        self.value += (value - self.value) * min(1.0, weight)
