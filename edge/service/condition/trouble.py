"""What can be wrong with a camera that delivers frames."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """Reason codes, worst first; docs/faults.md says what each means and what to do."""

    FROZEN = "frozen"  # frames come, and it is always the same one
    BLACK = "black"
    OVEREXPOSED = "overexposed"
    COVERED = "covered"
    DEFOCUSED = "defocused"
    FLAPPING = "flapping"  # it comes and goes
    SLOW = "slow"  # far fewer frames than it used to give
    BURST = "burst"  # far more
    UNREADABLE = "unreadable"  # frames that can't be decoded
    MISDATED = "misdated"  # its clock stands still or runs backwards


LENS = frozenset({Trouble.BLACK, Trouble.OVEREXPOSED, Trouble.COVERED, Trouble.DEFOCUSED})
