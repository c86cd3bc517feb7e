"""``when: count``: so many at once."""

from __future__ import annotations

from edge.core.events import EventType, Occurrence, Reason
from edge.track.moment import Moment
from edge.track.rules.terms import Terms, Voice, lasted
from edge.track.rules.view import Speech, View
from edge.track.visitor import Visitor


class Count:
    """Speaks when so many are there, for so long; and again when there were fewer in between and somebody is new.

    Parameters
    ----------
    least : how many
    seconds : how long, without a break
    """

    def __init__(self, terms: Terms, least: int, seconds: float) -> None:
        self._voice = Voice(terms)
        self._least = least
        self._seconds = seconds
        self._since: Moment | None = None
        self._has_spoken = False
        self._known: set[int] = set()

    def judge(self, view: View) -> list[Speech]:
        there = [visitor for visitor in view.visitors if self._voice.stay(visitor) is not None]
        numbers = {visitor.number for visitor in there}
        if len(there) < self._least:
            self._since, self._has_spoken = None, False
            return []
        if self._since is None:
            self._since = view.now
            self._has_spoken = numbers <= self._known
        if self._has_spoken:
            self._known = numbers
            return []
        if view.now.seconds_since(self._since) < self._seconds or not self._voice.is_awake(view.now):
            return []
        self._has_spoken, self._known = True, numbers
        return self._speak(there, view.now, self._since)

    def _speak(self, there: list[Visitor], now: Moment, since: Moment) -> list[Speech]:
        newest = max(there, key=lambda visitor: visitor.number)
        reasons = [Reason("count", len(there), self._least)]
        if self._seconds > 0.0:
            reasons.append(lasted("count_ms", now, since, self._seconds))
        hit = self._voice.speak(now, newest.track, *reasons)
        if hit is None:
            return []
        about = Occurrence(
            EventType.COUNT, now.captured_ns, now.captured_at, now.sequence, newest.track, zones=newest.zones
        )
        return [Speech(hit, about)]
