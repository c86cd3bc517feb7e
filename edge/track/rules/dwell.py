"""``when: dwell``: something stays."""

from __future__ import annotations

from edge.core.events import EventType, Occurrence
from edge.track.rules.terms import Terms, Voice, lasted
from edge.track.rules.view import Speech, View
from edge.track.visitor import Visitor


class Dwell:
    """Speaks once about each stay, in its zone or in the picture, that has lasted long enough.

    A thing out of sight does not stay on: its time goes as far as its last sight. A stay that has lasted long enough
    while the rule slept is told when it wakes.
    """

    def __init__(self, terms: Terms, seconds: float) -> None:
        self._voice = Voice(terms)
        self._seconds = seconds

    def judge(self, view: View) -> list[Speech]:
        if not self._voice.is_awake(view.now):
            return []
        speeches = (self._speech(visitor, view) for visitor in view.visitors if visitor.is_seen)
        return [speech for speech in speeches if speech is not None]

    def _speech(self, visitor: Visitor, view: View) -> Speech | None:
        stay, name, now = self._voice.stay(visitor), self._voice.terms.name, view.now
        if stay is None or name in stay.spoken or now.seconds_since(stay.since) < self._seconds:
            return None
        stay.spoken.add(name)
        hit = self._voice.speak(now, visitor.track, lasted("dwell_ms", now, stay.since, self._seconds))
        if hit is None:
            return None
        about = Occurrence(
            EventType.DWELL, now.captured_ns, now.captured_at, now.sequence, visitor.track, zones=visitor.zones
        )
        return Speech(hit, about)
