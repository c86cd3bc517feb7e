"""``when: absence``: nothing for too long."""

from __future__ import annotations

from edge.core.events import EventType, Occurrence
from edge.track.moment import Moment
from edge.track.rules.terms import Terms, Voice, lasted
from edge.track.rules.view import Speech, View


class Absence:
    """Speaks once when nothing was seen for so long, and again after something was, or on the next watch.

    A watch is a time in which the camera sees, the model looks and the rule is awake; only that time counts.
    """

    def __init__(self, terms: Terms, seconds: float) -> None:
        self._voice = Voice(terms)
        self._seconds = seconds
        self._since: Moment | None = None
        self._has_spoken = False

    def judge(self, view: View) -> list[Speech]:
        now = view.now
        if self._since is None or view.is_first or not self._voice.is_awake(now):
            self._since, self._has_spoken = now, False
        seen = [visitor.sight.moment for visitor in view.visitors if self._voice.stay(visitor) is not None]
        if seen:
            self._since = max(self._since, *seen, key=lambda moment: moment.captured_ns)
            self._has_spoken = False
        if seen or self._has_spoken or now.seconds_since(self._since) < self._seconds:
            return []
        hit = self._voice.speak(now, None, lasted("absence_ms", now, self._since, self._seconds), place="empty_zone")
        if hit is None:
            return []
        self._has_spoken = True
        zone = self._voice.terms.zone
        about = Occurrence(
            EventType.ABSENCE, now.captured_ns, now.captured_at, now.sequence, zones=() if zone is None else (zone,)
        )
        return [Speech(hit, about)]
