"""When a rule is awake, in local time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo


class Hours:
    """Times of day and week at a place.

    Parameters
    ----------
    covers : (weekday, minute) -> whether the rule is awake; 0 is Monday, minutes count from local midnight
    zone : the place's time zone, with its summer time; None = this machine's
    """

    def __init__(self, covers: Callable[[int, int], bool], zone: tzinfo | None = None) -> None:
        self._covers = covers
        self._zone = zone

    def hold(self, at: datetime) -> bool:
        """Whether the rule is awake at an instant.

        What a clock on the wall shows counts: an hour that summer time repeats is covered twice, one that it leaves
        out not at all.
        """
        local = at.astimezone(self._zone)
        return self._covers(local.weekday(), local.hour * 60 + local.minute)
