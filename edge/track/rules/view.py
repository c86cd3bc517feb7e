"""What a rule is shown of a frame, and how it answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edge.core.events import EventType, Occurrence, RuleHit
from edge.track.moment import Moment
from edge.track.visitor import Visitor


@dataclass(slots=True, eq=False)
class Happening:
    """Something that is told whether a rule speaks about it or not.

    zone : the one that was entered or left
    is_again : it only goes on after the thing was out of sight
    """

    occurrence: Occurrence
    visitor: Visitor
    zone: str | None = None
    is_again: bool = False
    hits: list[RuleHit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class View:
    """One frame.

    visitors : who is there
    happenings : what has just happened, in order
    is_first : the first frame after a time in which nobody could be seen, or one in which it is doubtful
    """

    now: Moment
    visitors: Sequence[Visitor]
    happenings: Sequence[Happening]
    is_first: bool = False

    def of(self, *kinds: EventType) -> Iterator[Happening]:
        """The happenings of some kinds, in order."""
        return (each for each in self.happenings if each.occurrence.type in kinds)


@dataclass(frozen=True, slots=True)
class Speech:
    """A rule speaks, about a happening or about something that nobody else tells."""

    hit: RuleHit
    about: Happening | Occurrence


class Rule(Protocol):
    """One rule of the configuration. It is shown every frame, and remembers what it needs."""

    def judge(self, view: View) -> list[Speech]: ...
