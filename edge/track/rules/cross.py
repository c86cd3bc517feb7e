"""``when: cross``: something crosses a line."""

from __future__ import annotations

from edge.core.events import EventType
from edge.track.rules.terms import Terms, Voice, holds
from edge.track.rules.view import Speech, View


class Cross:
    """Speaks about each crossing of its line; with a direction, about those that way."""

    def __init__(self, terms: Terms, line: str, direction: str | None = None) -> None:
        self._voice = Voice(terms)
        self._line = line
        self._direction = direction

    def judge(self, view: View) -> list[Speech]:
        speeches = []
        for happening in view.of(EventType.LINE_CROSS):
            line, track = happening.occurrence.line, happening.occurrence.track
            if line is None or line.name != self._line or self._direction not in (None, line.direction):
                continue
            if not self._voice.means(happening.visitor):
                continue
            hit = self._voice.speak(view.now, track, holds(f"crossed_{line.direction}"))
            if hit is not None:
                speeches.append(Speech(hit, happening))
        return speeches
