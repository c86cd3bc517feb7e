"""``when: appear``: something new is there."""

from __future__ import annotations

from edge.core.events import EventType
from edge.track.rules.terms import Terms, Voice
from edge.track.rules.view import Speech, View


class Appear:
    """Speaks once about each thing: when it is first told, or first held for what the rule looks for.

    With a zone: about what is first seen there. What was lost and is found again is nothing new.
    """

    def __init__(self, terms: Terms) -> None:
        self._voice = Voice(terms)

    def judge(self, view: View) -> list[Speech]:
        speeches = []
        for happening in view.of(EventType.TRACK_START, EventType.TRACK_UPDATE):
            visitor = happening.visitor
            name = self._voice.terms.name
            if happening.is_again or name in visitor.visit.spoken or self._voice.stay(visitor) is None:
                continue
            visitor.visit.spoken.add(name)
            hit = self._voice.speak(view.now, visitor.track)
            if hit is not None:
                speeches.append(Speech(hit, happening))
        return speeches
