"""How many threads a model gets, and what runs beside it."""

from __future__ import annotations

import os
import sys
from typing import Literal

# The runtime lets go of Python's lock while it runs and takes it again at the end; a busy Python thread gives it up
# only so often. Measured at the default of 5 ms: 0.70 of the throughput beside such a thread; at 0.1 ms: 0.975.
_SWITCH_INTERVAL_S = 1e-4
_TOO_FEW_TO_SPARE = 2


def choose_threads(asked: int | Literal["auto"]) -> int:
    """``auto`` leaves one core to capture and everything else where there are three or more.

    Of two cores the model gets both: measured, a second thread makes the whole path 1.7 times as fast (125 instead of
    74 frames/s), which no overlap makes up for.
    """
    if asked != "auto":
        return asked
    cores = usable_cores()
    return cores if cores <= _TOO_FEW_TO_SPARE else cores - 1


def has_spare_core(threads: int) -> bool:
    """Whether something can run beside a model of so many threads without taking from it."""
    return threads < usable_cores()


def usable_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


def hand_over_quickly() -> None:
    """Let threads that wait for Python's lock have it soon; for a process of our own, never for a caller's."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
