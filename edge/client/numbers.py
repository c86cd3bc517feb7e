"""Sets of event numbers, kept as ranges: short however many events there were."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]  # first and last, both included


class Numbers:
    """A set of whole numbers as ascending ranges that do not touch.

    Examples
    --------
    >>> numbers = Numbers([(1, 3)])
    >>> numbers.add(5), numbers.add(4), numbers.ranges
    (True, True, [(1, 5)])
    """

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add_range(first, last)

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and number <= self._lasts[place]

    def __iter__(self) -> Iterator[Range]:
        return iter(self.ranges)

    def __len__(self) -> int:
        """How many numbers."""
        return sum(last - first + 1 for first, last in self)

    @property
    def ranges(self) -> list[Range]:
        return list(zip(self._firsts, self._lasts, strict=True))

    @property
    def range_count(self) -> int:
        return len(self._firsts)

    def add(self, number: int) -> bool:
        """Whether it was new."""
        if number in self:
            return False
        self.add_range(number, number)
        return True

    def add_range(self, first: int, last: int) -> None:
        """Add ``first`` to ``last``; ranges that touch become one."""
        if last < first:
            return
        begin = bisect_left(self._lasts, first - 1)
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first = min(first, self._firsts[begin])
            last = max(last, self._lasts[end - 1])
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]

    def touches(self, number: int) -> bool:
        """Whether adding it would make no new range."""
        return number in self or number - 1 in self or number + 1 in self

    def run_end(self, first: int) -> int:
        """The last of the unbroken run from ``first``; ``first - 1`` where it does not even begin."""
        place = bisect_right(self._firsts, first) - 1
        return self._lasts[place] if place >= 0 and first <= self._lasts[place] else first - 1

    def missing(self, first: int, last: int) -> list[Range]:
        """What of ``first`` to ``last`` is not in it. {2, 3} in 1 to 5 -> (1, 1), (4, 5)."""
        found = []
        expected = first
        for place in range(bisect_left(self._lasts, first), len(self._firsts)):
            if self._firsts[place] > last:
                break
            if self._firsts[place] > expected:
                found.append((expected, self._firsts[place] - 1))
            expected = self._lasts[place] + 1
        if expected <= last:
            found.append((expected, last))
        return found


def range_words(ranges: Iterable[Range]) -> str:
    """``3, 7-9``: for people; a long list is cut."""
    words = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    return ", ".join(words[:8]) + (f" and {len(words) - 8} more ranges" if len(words) > 8 else "")
