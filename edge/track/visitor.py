"""One thing as the rules know it: across the gaps in which it was out of sight."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.core.values import Box, Track
from edge.track.areas import Point
from edge.track.moment import Moment


@dataclass(frozen=True, slots=True)
class Revision:
    """The names that stand for something else than before, or for nothing any more."""

    zones: frozenset[str] = frozenset()
    lines: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Stay:
    """A time spent in a zone, or in the picture.

    spoken : the rules that have spoken about it and will not again
    """

    since: Moment
    spoken: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Sight:
    """A thing in the frame in which it was seen."""

    moment: Moment
    track: Track


@dataclass(slots=True, eq=False)
class Doubt:
    """What speaks against where a thing is held to be.

    agreed : when it was last seen where it is held to be
    first : the first sight of it elsewhere since then; None = none
    count : sights of it elsewhere since then; clear : those that were clear of the border
    """

    agreed: Moment
    first: Sight | None = None
    count: int = 0
    clear: int = 0


@dataclass(frozen=True, slots=True)
class Passage:
    """A line has been passed, but the thing is still so near that it may come back."""

    direction: str
    sight: Sight


@dataclass(slots=True, eq=False)
class Visitor:
    """A thing, from its first sight to its last.

    number : counts up; a thing that was lost and found again keeps its number
    sight : the newest
    anchor : where it stood then, or where it came to stand still: a light change does not move it
    before : where it stood at the sight before
    is_seen : whether it was seen in this frame
    is_again : whether it is a thing that was lost, come back in this frame
    visit : its time in the picture; stays : its times in zones, by name
    resumed : the times in zones that were interrupted when it was lost, once it has come back
    still_since : when it came to stand still; None = it moves
    home : its box when it came to stand still; None = it moves
    is_home : whether it stands still and was seen there
    """

    number: int
    sight: Sight
    anchor: Point
    before: Point
    visit: Stay
    is_seen: bool = True
    is_again: bool = False
    stays: dict[str, Stay] = field(default_factory=dict)
    resumed: dict[str, Stay] = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    passages: dict[str, Passage] = field(default_factory=dict)
    still_since: Moment | None = None
    home: Box | None = None
    is_home: bool = False

    @property
    def track(self) -> Track:
        """As it was when it was last seen."""
        return self.sight.track

    @property
    def zones(self) -> tuple[str, ...]:
        """Where it is, in the order in which it came there."""
        return tuple(self.stays)

    def forget(self, revision: Revision) -> None:
        """What was so of zones and lines that are not what they were, and who has spoken."""
        for book in (self.stays, self.resumed, self.doubts):
            for zone in revision.zones & book.keys():
                del book[zone]
        for line in revision.lines & self.passages.keys():
            del self.passages[line]
        for stay in (self.visit, *self.stays.values(), *self.resumed.values()):
            stay.spoken -= revision.rules

    def stay(self, zone: str | None) -> Stay | None:
        """Its time in a zone, None when it is not there; without a zone, in the picture."""
        return self.visit if zone is None else self.stays.get(zone)


def overlap(left: Box, right: Box) -> float:
    """Intersection over union, 0..1."""
    width = min(left.x2, right.x2) - max(left.x1, right.x1)
    height = min(left.y2, right.y2) - max(left.y1, right.y1)
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared = width * height
    return shared / (_area(left) + _area(right) - shared)


def _area(box: Box) -> float:
    return (box.x2 - box.x1) * (box.y2 - box.y1)


def longer_side(box: Box) -> float:
    """Of a box, in pixels."""
    return max(box.x2 - box.x1, box.y2 - box.y1)
