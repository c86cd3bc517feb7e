"""When to ask which device for what is missing: patient at first, ever more seldom while nothing comes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from edge.client.numbers import Range
from edge.client.payloads import HIGHEST
from edge.client.progress import Progress

PAGE = 500  # numbers per request: less than any broker's queue for us
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """``is_closing``: asks what is left of an epoch after the newest that is known."""

    transaction: str
    device: str
    epoch: str
    first: int
    last: int
    is_closing: bool = False


Wanted = tuple[str, Range, bool]  # epoch, numbers, whether it asks for an epoch's end


@dataclass(slots=True)
class _Device:
    quiet_since_ns: int  # the first hole has been as it is since then, or the newest request
    wait_s: float
    hole: tuple[str, int, bool] | None = None
    asked: Request | None = None


class Replays:
    """Pure but for the transaction's random name.

    What counts is whether the first hole moves: newer events say nothing about it, however many come.

    grace_s : how long to let the device send by itself
    longest_s : the longest pause between requests
    """

    def __init__(self, *, grace_s: float, longest_s: float) -> None:
        self._grace_s = grace_s
        self._longest_s = longest_s
        self._devices: dict[str, _Device] = {}

    def connected(self) -> None:
        """Requests under way are void; those pauses that had grown begin anew."""
        self._devices.clear()

    def is_quiet(self, device: str, epochs: Mapping[str, Progress], now_ns: int) -> bool:
        """Whether nothing of what is missing has come for the grace: it is missing indeed."""
        state = self._state(device, now_ns)
        self._note(state, _first_missing(epochs), now_ns)
        return self._is_due(state, now_ns)

    def next(self, device: str, epochs: Mapping[str, Progress], now_ns: int) -> Request | None:
        """What to ask the device now; None = nothing, or not yet."""
        state = self._state(device, now_ns)
        wanted = _first_missing(epochs) or _first_open(epochs)
        is_answered = state.asked is not None and _is_filled(state.asked, epochs)
        self._note(state, wanted, now_ns)
        if wanted is None:
            state.asked = None
            return None
        if not is_answered and not self._is_due(state, now_ns):
            return None
        epoch, (first, last), is_closing = wanted
        if not is_closing:
            last = min(last, first + PAGE - 1)
        if state.asked is not None and not is_answered:
            state.wait_s = min(self._longest_s, state.wait_s * 2)
        state.quiet_since_ns = now_ns
        state.asked = Request(secrets.token_hex(8), device, epoch, first, last, is_closing)
        return state.asked

    def answered(self, device: str, transaction: str) -> Request | None:
        """The request an answer belongs to; None = somebody else's, or an old one."""
        state = self._devices.get(device)
        if state is None or state.asked is None or state.asked.transaction != transaction:
            return None
        return state.asked

    def _state(self, device: str, now_ns: int) -> _Device:
        return self._devices.setdefault(device, _Device(now_ns, self._grace_s))

    def _note(self, state: _Device, wanted: Wanted | None, now_ns: int) -> None:
        """A hole that is another one than before: no hurry, and the next pause is short again."""
        hole = None if wanted is None else (wanted[0], wanted[1][0], wanted[2])
        if hole != state.hole:
            state.hole = hole
            state.quiet_since_ns = now_ns
            state.wait_s = self._grace_s

    @staticmethod
    def _is_due(state: _Device, now_ns: int) -> bool:
        return now_ns - state.quiet_since_ns >= state.wait_s * _NS_PER_S


def _is_filled(request: Request, epochs: Mapping[str, Progress]) -> bool:
    progress = epochs.get(request.epoch)
    if progress is None:
        return True
    if request.is_closing:
        return progress.is_closed
    return not any(first <= request.last and last >= request.first for first, last in progress.missing)


def _first_missing(epochs: Mapping[str, Progress]) -> Wanted | None:
    for epoch, progress in epochs.items():
        missing = progress.missing
        if missing:
            return epoch, missing[0], False
    return None


def _first_open(epochs: Mapping[str, Progress]) -> Wanted | None:
    """An epoch that a newer one has followed may have had a tail that never came."""
    newest = list(epochs)[-1] if epochs else None
    for epoch, progress in epochs.items():
        if epoch != newest and not progress.is_closed:
            return epoch, (progress.heard + 1, HIGHEST), True
    return None
