"""``when: leave``: something is gone."""

from __future__ import annotations

from edge.core.events import EventType
from edge.track.rules.terms import Terms, Voice
from edge.track.rules.view import Speech, View


class Leave:
    """Speaks about each thing whose track has ended; with a zone, about one that was last seen there."""

    def __init__(self, terms: Terms) -> None:
        self._voice = Voice(terms)

    def judge(self, view: View) -> list[Speech]:
        speeches = []
        for happening in view.of(EventType.TRACK_END):
            if self._voice.stay(happening.visitor) is None:
                continue
            hit = self._voice.speak(view.now, happening.visitor.track)
            if hit is not None:
                speeches.append(Speech(hit, happening))
        return speeches
