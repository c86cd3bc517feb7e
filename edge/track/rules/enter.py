"""``when: enter``: something comes into a zone."""

from __future__ import annotations

from edge.core.events import EventType
from edge.track.rules.terms import Terms, Voice
from edge.track.rules.view import Speech, View


class Enter:
    """Speaks once about each stay in its zone: at its begin, or when the thing is first held for what it looks for."""

    def __init__(self, terms: Terms) -> None:
        self._voice = Voice(terms)

    def judge(self, view: View) -> list[Speech]:
        speeches = []
        for happening in view.of(EventType.ZONE_ENTER, EventType.TRACK_UPDATE):
            stay = self._voice.stay(happening.visitor)
            name = self._voice.terms.name
            is_elsewhere = happening.zone not in (None, self._voice.terms.zone)
            if stay is None or is_elsewhere or happening.is_again or name in stay.spoken:
                continue
            stay.spoken.add(name)
            hit = self._voice.speak(view.now, happening.occurrence.track)
            if hit is not None:
                speeches.append(Speech(hit, happening))
        return speeches
