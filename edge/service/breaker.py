"""When an accelerator that failed is trusted again: a circuit breaker, without a clock or a device of its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_NS_PER_S = 1_000_000_000


class Trust(StrEnum):
    IN_USE = "in_use"  # the circuit is closed
    AWAY = "away"  # open: the CPU works, and the device is left alone until the next try
    ON_TRIAL = "on_trial"  # the CPU works, and the device runs self-tests


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is long enough, in seconds.

    tests : good self-tests in a row before the device works again
    spacing_s, watch_s : between two self-tests of a short trial, and of a long one
    first_try_s, longest_try_s : after a failed try the wait for the next one doubles, from one to the other
    steady_s : a device that fails again within this time of its return flaps
    quiet_s, longest_quiet_s : a device that flaps has to be well this long without a break before it works again,
        each time twice as long: so it can't make the backend change more than once in ``quiet_s``
    """

    tests: int = 3
    spacing_s: float = 2.0
    watch_s: float = 10.0
    first_try_s: float = 2.0
    longest_try_s: float = 60.0
    steady_s: float = 3600.0
    quiet_s: float = 600.0
    longest_quiet_s: float = 7200.0


class Breaker:
    """One accelerator. A failure takes effect at once, always; only the way back asks for patience."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._good = 0
        self._well_since_ns = 0
        self._next_ns = 0
        self._try_s = self._patience.first_try_s
        self._quiet_s = 0.0
        self._returned_ns: int | None = None
        self.trust = Trust.IN_USE

    @property
    def quiet_s(self) -> float:
        """How long the device has to be well before it works again; 0 = three good self-tests are enough."""
        return self._quiet_s

    def fail(self, now_ns: int) -> bool:
        """The device failed, at work or on trial; whether that changes what works now."""
        was_in_use = self.trust is Trust.IN_USE
        if was_in_use:
            self._quiet_s = self._next_quiet_s(now_ns)
            self._try_s = self._patience.first_try_s
        self.trust = Trust.AWAY
        self._good = 0
        self._next_ns = now_ns + round(self._try_s * _NS_PER_S)
        self._try_s = min(self._patience.longest_try_s, self._try_s * 2)
        return was_in_use

    def is_try_due(self, now_ns: int) -> bool:
        """Whether it is time to look for the device again."""
        return self.trust is Trust.AWAY and now_ns >= self._next_ns

    def begin_trial(self, now_ns: int) -> None:
        """Somebody is looking for the device: ``passed`` or ``fail`` will tell."""
        self.trust = Trust.ON_TRIAL
        self._next_ns = now_ns

    def is_test_due(self, now_ns: int) -> bool:
        """Whether it is time for the next self-test of the trial."""
        return self.trust is Trust.ON_TRIAL and now_ns >= self._next_ns

    def passed(self, now_ns: int) -> bool:
        """A self-test of the trial was good; whether the device works again from now on."""
        if self.trust is not Trust.ON_TRIAL:
            return False
        if self._good == 0:
            self._well_since_ns = now_ns
        self._good += 1
        well_s = (now_ns - self._well_since_ns) / _NS_PER_S
        if self._good >= self._patience.tests and well_s >= self._quiet_s:
            self.trust = Trust.IN_USE
            self._returned_ns = now_ns
            return True
        spacing_s = self._patience.watch_s if self._quiet_s > 0 else self._patience.spacing_s
        self._next_ns = now_ns + round(spacing_s * _NS_PER_S)
        return False

    def _next_quiet_s(self, now_ns: int) -> float:
        if self._returned_ns is None or now_ns - self._returned_ns >= self._patience.steady_s * _NS_PER_S:
            return 0.0
        return min(self._patience.longest_quiet_s, max(self._patience.quiet_s, self._quiet_s * 2))
