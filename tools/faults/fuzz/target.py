"""What every target is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads bytes of others.

    seeds : good inputs, made by code
    open : gets it ready in this process; returns what takes one input. That raises whatever is a finding, and nothing
        that is an answer to bad input
    words : what is put into inputs besides random bytes
    is_native : native code reads it, which may crash: each batch of inputs runs in a process of its own, as in the
        product, and a process that crashes is no finding
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    open: Callable[[], Callable[[bytes], None]]
    words: Sequence[bytes] = ()
    is_native: bool = False
