"""Why a process that runs a model is not to be used any more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    ABSENT = "absent"  # the library or the device is not there, or does not fit
    LOST = "lost"  # a run failed
    HUNG = "hung"  # no answer in time
    CRASHED = "crashed"  # the process ended
    GARBAGE = "garbage"  # the self-test found other numbers


@dataclass(frozen=True, slots=True)
class Fault:
    """words : for a person"""

    kind: FaultKind
    words: str


RAVING = 30
"""Frames in a row in which all that was found was none: nothing will be made of the next one either."""
