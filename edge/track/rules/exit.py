"""``when: exit``: something goes out of a zone."""

from __future__ import annotations

from edge.core.events import EventType
from edge.track.rules.terms import Terms, Voice
from edge.track.rules.view import Speech, View


class Exit:
    """Speaks about each thing that has left its zone, or that was last seen there."""

    def __init__(self, terms: Terms) -> None:
        self._voice = Voice(terms)

    def judge(self, view: View) -> list[Speech]:
        speeches = []
        for happening in view.of(EventType.ZONE_EXIT):
            if happening.zone != self._voice.terms.zone or not self._voice.means(happening.visitor):
                continue
            hit = self._voice.speak(view.now, happening.occurrence.track, place="out_of_zone")
            if hit is not None:
                speeches.append(Speech(hit, happening))
        return speeches
