"""How far a consumer has come with one epoch of one device. Pure: no time, no disk, no network."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from edge.client.numbers import Numbers, Range

# Numbers that are far apart cost memory and disk; what is beyond comes again, for the cursor does not pass over it.
MOST_RANGES = 1000


class Verdict(Enum):
    """What an event is to a consumer."""

    NEW = auto()
    REPEAT = auto()
    NO_ROOM = auto()


class Progress:
    """Numbers start at 1 and have no holes; what was not taken and not named as lost is missing.

    heard : the highest number known to exist
    is_closed : the device has said that nothing beyond ``heard`` is left of this epoch
    """

    def __init__(
        self, *, taken: Iterable[Range] = (), lost: Iterable[Range] = (), heard: int = 0, is_closed: bool = False
    ) -> None:
        self._taken = Numbers(taken)
        self._lost = Numbers(lost)
        self._settled = Numbers([*self._taken, *self._lost])
        self.heard = heard
        self.is_closed = is_closed

    @property
    def taken(self) -> list[Range]:
        return self._taken.ranges

    @property
    def lost(self) -> list[Range]:
        return self._lost.ranges

    @property
    def contiguous(self) -> int:
        """The cursor: everything up to here is stored, or named as lost."""
        return self._settled.run_end(1)

    @property
    def missing(self) -> list[Range]:
        """Known to exist, neither stored nor lost."""
        return self._settled.missing(1, self.heard)

    @property
    def is_complete(self) -> bool:
        return self.contiguous >= self.heard

    def take(self, seq: int) -> Verdict:
        """An event with this number is here. A late one that had been given up is still new."""
        if seq in self._taken:
            return Verdict.REPEAT
        if not self._taken.touches(seq) and self._taken.range_count >= MOST_RANGES:
            return Verdict.NO_ROOM
        self._taken.add(seq)
        self._settled.add(seq)
        if seq > self.heard:
            self.heard = seq
            self.is_closed = False
        return Verdict.NEW

    def hear(self, number: int) -> None:
        """The device says this number exists."""
        self.heard = max(self.heard, number)

    def lose(self, first: int, last: int | None) -> list[Range]:
        """These will never come; returns those that this changes. None = to the epoch's end, as far as known."""
        if last is not None:
            self.hear(last)
        news = self._settled.missing(max(1, first), self.heard if last is None else last)
        room = MOST_RANGES - self._lost.range_count
        for begin, end in news[: max(0, room)]:
            self._lost.add_range(begin, end)
            self._settled.add_range(begin, end)
        return news[: max(0, room)]
