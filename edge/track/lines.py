"""Who crosses which line, and which way.

Stand at the line's ``from`` and look to its ``to``: "in" is from your left hand to your right, "out" is back. So a
line drawn from left to right across the picture counts as in whoever comes down the picture, towards the camera:

    from ------------> to
             |  in
             v
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.track.areas import Point, distance_px
from edge.track.visitor import Passage, Sight, Visitor, longer_side

IN, OUT = "in", "out"

# So far from the line, as a part of its longer side, a thing must be before its passing counts: one that dithers on
# the line crosses it once, when it leaves, or not at all.
_CLEAR = 0.1


@dataclass(frozen=True, slots=True)
class Crossing:
    """sight : the first one behind the line"""

    visitor: Visitor
    line: str
    direction: str
    sight: Sight


class Lines:
    """The directed lines of one camera.

    Parameters
    ----------
    lines : name -> (from, to), as parts of the picture
    """

    def __init__(self, lines: Mapping[str, tuple[Point, Point]]) -> None:
        self._lines = dict(lines)

    def update(self, visitors: Sequence[Visitor], size: tuple[int, int]) -> list[Crossing]:
        """What the visitors seen in this frame, in pictures of ``size`` (width, height), have crossed for good."""
        crossings = []
        for visitor in visitors:
            if not visitor.is_seen:
                continue
            for name, (start, end) in self._lines.items():
                if visitor.before != visitor.anchor:
                    _note(visitor, name, start, end)
                passage = visitor.passages.get(name)
                if passage is not None and _is_clear(visitor, start, end, size):
                    crossings += self._settle(visitor, name, passage)
        return crossings

    def leave(self, visitor: Visitor) -> list[Crossing]:
        """What a visitor has crossed whose track has ended."""
        found = []
        for name, passage in list(visitor.passages.items()):
            found += self._settle(visitor, name, passage)
        return found

    def _settle(self, visitor: Visitor, name: str, passage: Passage) -> list[Crossing]:
        """A passage counts if the thing is still behind the line: it may have come back round the line's end."""
        del visitor.passages[name]
        start, end = self._lines[name]
        if _is_right(visitor.anchor, start, end) != (passage.direction == IN):
            return []
        return [Crossing(visitor, name, passage.direction, passage.sight)]


def _note(visitor: Visitor, name: str, start: Point, end: Point) -> None:
    """Remember that the newest step led through the line, or back through it."""
    direction = passed(visitor.before, visitor.anchor, start, end)
    if direction is None:
        return
    earlier = visitor.passages.get(name)
    if earlier is None:
        visitor.passages[name] = Passage(direction, visitor.sight)
    elif earlier.direction != direction:
        del visitor.passages[name]


def passed(before: Point, after: Point, start: Point, end: Point) -> str | None:
    """Which way the straight step between two points leads through the line from start to end; None = it does not.

    A point on the line counts as right of it, so that of two steps that meet there one alone passes.
    """
    was_right, is_right = _is_right(before, start, end), _is_right(after, start, end)
    if was_right == is_right or (_side(start, before, after) > 0.0) == (_side(end, before, after) > 0.0):
        return None
    return IN if is_right else OUT


def _is_clear(visitor: Visitor, start: Point, end: Point, size: tuple[int, int]) -> bool:
    if visitor.is_home:
        return True
    return distance_px(visitor.anchor, start, end, size) > longer_side(visitor.track.box) * _CLEAR


def _is_right(point: Point, start: Point, end: Point) -> bool:
    return _side(point, start, end) >= 0.0


def _side(point: Point, start: Point, end: Point) -> float:
    """Above 0 right of the way from start to end as one sees it walking along, below 0 left (y runs down)."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
