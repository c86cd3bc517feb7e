"""How many threads a model gets."""

from __future__ import annotations

import os
from typing import Literal


def choose_threads(asked: int | Literal["auto"]) -> int:
    """``auto`` leaves one core to capture and everything else: measured, overlap beats one thread more."""
    if asked != "auto":
        return asked
    return max(1, len(os.sched_getaffinity(0)) - 1)
