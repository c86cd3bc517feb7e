"""A service that ends again and again before it has run for a while: noticed by counting, for no clock can be trusted.

A camera may have no clock battery, and each crash may have been one of the whole machine. So nothing but starts is
counted: one more with each start, none after a good run or an orderly end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from edge.core.protocols import Clock
from edge.core.values import Message

MOST_STARTS = 5  # that ended badly, one after the other; then another way is tried
GOOD_S = 300.0  # a run this long is no crash loop, whatever ends it
_QUICK_STARTS = 3  # a kill, a hiccup: not worth waiting for
START_S = 90.0  # what systemd gives a start; whoever waits first asks for more
_LONGEST_WAIT_S = 60.0


class Starts(msgspec.Struct, frozen=True):
    """What is remembered over restarts.

    what : tells one configuration and version of edge from another
    unfinished : starts of it in a row that came to no good end
    boot : the machine's start that the last of them was in; here : how many of them were in it
    """

    what: str = ""
    unfinished: int = 0
    boot: str = ""
    here: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How to start this time.

    is_loop : not as before
    wait_s : to let the machine breathe first
    starts : to be remembered before anything else is done
    """

    is_loop: bool
    wait_s: float
    starts: Starts


def judge_start(before: Starts | None, what: str, boot: str) -> Verdict:
    """Another start; something new begins at none. A machine that has just started has breathed: no wait then."""
    if before is None or before.what != what:
        before = Starts(what)
    here = before.here if before.boot == boot else 0
    wait_s = 0.0 if here < _QUICK_STARTS else min(_LONGEST_WAIT_S, 2.0 ** (here - _QUICK_STARTS))
    return Verdict(before.unfinished >= MOST_STARTS, wait_s, Starts(what, before.unfinished + 1, boot, here + 1))


def after_good_run(starts: Starts, *, was_loop: bool) -> Starts:
    """All is forgotten. After a good run in safe mode the next start tries the usual way, once."""
    return Starts(starts.what, MOST_STARTS - 1 if was_loop else 0, starts.boot)


class GoodRun:
    """An errand of the service: does something once it has run for a while, in a thread, for a disk may be slow."""

    def __init__(self, act: Callable[[], None], clock: Clock, *, after_s: float = GOOD_S) -> None:
        self._act = act
        self._clock = clock
        self._due_ns: int | None = None
        self._after_ns = round(after_s * 1e9)

    def open(self) -> list[Message]:
        """The run begins."""
        self._due_ns = self._clock.monotonic_ns() + self._after_ns
        return []

    def due(self) -> list[Message]:
        """Nothing to say, ever."""
        if self._due_ns is not None and self._clock.monotonic_ns() >= self._due_ns:
            self._due_ns = None
            threading.Thread(target=self._act, name="good-run", daemon=True).start()
        return []
