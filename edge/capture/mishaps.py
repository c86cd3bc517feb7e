"""What goes wrong with single frames of a source, and mends itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Mishaps:
    """Counted by a source, read by whoever looks at its frames.

    unreadable : frames that could not be decoded
    misdated : frames whose time stood still or ran backwards
    """

    unreadable: int = 0
    misdated: int = 0
