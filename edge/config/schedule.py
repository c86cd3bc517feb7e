"""When a rule is awake: ``22:00-06:00``, ``mon-fri 08:00-18:00``, ``sat,sun 00:00-24:00; fri 18:00-24:00``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.config.scalars import WrongValueError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_MAX_WINDOWS = 50
_WINDOW = re.compile(r"(?:([a-z][a-z,-]*)\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day on some days, local time.

    days : 0 (Monday) to 6; of a window that runs past midnight, the day it begins
    start_minute, end_minute : minutes since midnight, the end excluded; end <= start runs into the next day
    """

    days: tuple[int, ...]
    start_minute: int
    end_minute: int

    def covers(self, weekday: int, minute: int) -> bool:
        if self.start_minute < self.end_minute:
            return weekday in self.days and self.start_minute <= minute < self.end_minute
        if minute >= self.start_minute:
            return weekday in self.days
        return (weekday - 1) % 7 in self.days and minute < self.end_minute


@dataclass(frozen=True, slots=True)
class Schedule:
    """Windows of which any may hold."""

    windows: tuple[Window, ...]

    def covers(self, weekday: int, minute: int) -> bool:
        """Whether the rule is awake; ``weekday`` 0 is Monday, ``minute`` counts from local midnight."""
        return any(window.covers(weekday, minute) for window in self.windows)


def parse_schedule(text: str) -> Schedule:
    """Raises WrongValueError, saying which part can't be read."""
    parts = [part.strip() for part in text.lower().split(";")]
    if len(parts) > _MAX_WINDOWS:
        raise WrongValueError(f"write at most {_MAX_WINDOWS} windows")
    return Schedule(tuple(_window(part) for part in parts))


def _window(part: str) -> Window:
    match = _WINDOW.fullmatch(part)
    if not match:
        raise WrongValueError('write "22:00-06:00" or "mon-fri 08:00-18:00", in quotes, several divided by ;')
    start, end = _minute(match[2], match[3]), _minute(match[4], match[5])
    if start == _DAY_MINUTES:
        raise WrongValueError("a window begins at 23:59 at the latest")
    if start == end:
        raise WrongValueError("the window begins and ends at the same time: for the whole day write 00:00-24:00")
    return Window(_days(match[1]), start, end)


def _minute(hours: str, minutes: str) -> int:
    minute = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or minute > _DAY_MINUTES:
        raise WrongValueError(f"{hours}:{minutes} is no time of day: write 00:00 to 24:00")
    return minute


def _days(text: str | None) -> tuple[int, ...]:
    if not text:
        return tuple(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start, end = _day(first), _day(last if dash else first)
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return tuple(sorted(days))


def _day(word: str) -> int:
    if word not in DAYS:
        raise WrongValueError(f"days are {', '.join(DAYS)}")
    return DAYS.index(word)
