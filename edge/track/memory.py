"""Who has been here before: a thing that was lost and found is no new one.

Patience is earned: what stood in its place for an hour is recognised there an hour later, so that a parked car that
fades at dusk is the same car at dawn; what walked is looked for during a few seconds near where it was lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.core.values import Box, Track
from edge.track.moment import Moment
from edge.track.visitor import Visitor, longer_side, overlap

# A thing out of sight is at most so long the one that turns up nearby: the tracker itself has waited 2 s before.
_WALKED_S = 5.0
# ... and goes at most so many of its own sizes a second.
_REACH_PER_S = 1.0
_REACH = 0.5
_STOOD_LEAST_S = 30.0
_STOOD_MOST_S = 12 * 3600.0
# What stood must be found in its place: a neighbour in the next parking bay overlaps far less.
_SAME_PLACE_IOU = 0.5
# Within so many parts of the picture of its edge a thing has left the picture, and was not lost.
_EDGE = 0.01
_MOST = 256


@dataclass(frozen=True, slots=True)
class _Lost:
    visitor: Visitor
    is_at_edge: bool


class Memory:
    """Remembers things whose tracks have ended."""

    def __init__(self) -> None:
        self._lost: list[_Lost] = []

    @property
    def lost(self) -> list[Visitor]:
        """All that are remembered."""
        return [each.visitor for each in self._lost]

    def remember(self, visitor: Visitor, size: tuple[int, int]) -> None:
        """Its track has ended; ``size`` is that of the picture."""
        self._lost.append(_Lost(visitor, _is_at_edge(visitor.track.box, size)))
        del self._lost[:-_MOST]

    def recognise(self, track: Track, now: Moment) -> Visitor | None:
        """The thing that a new track continues, which is then no longer looked for; None = a new thing."""
        if not self._lost:
            return None
        self._lost = [each for each in self._lost if _is_awaited(each, now)]
        likely = [(_likeness(each, track), i) for i, each in enumerate(self._lost)]
        best, which = max(likely, default=(0.0, -1))
        return self._lost.pop(which).visitor if best > 0.0 else None


def _is_awaited(lost: _Lost, now: Moment) -> bool:
    return now.seconds_since(lost.visitor.sight.moment) <= max(_WALKED_S, _patience_s(lost.visitor))


def _patience_s(visitor: Visitor) -> float:
    """How long a thing that stood still is awaited in its place."""
    if visitor.still_since is None:
        return 0.0
    stood_s = visitor.sight.moment.seconds_since(visitor.still_since)
    return min(max(stood_s, _STOOD_LEAST_S), _STOOD_MOST_S)


def _likeness(lost: _Lost, track: Track) -> float:
    """Above 0 when the track may be the lost thing; 3 = the same track, above 1 = the same place."""
    before = lost.visitor.track
    if track.track_id == before.track_id:
        return 3.0
    gap_s = (track.first_seen_ns - before.last_seen_ns) * 1e-9
    if gap_s <= 0.0:
        return 0.0  # both were seen at the same time: two things
    shared = overlap(before.box, track.box)
    if lost.visitor.still_since is not None and shared >= _SAME_PLACE_IOU and gap_s <= _patience_s(lost.visitor):
        return 1.0 + shared
    if lost.is_at_edge or track.label != before.label or gap_s > _WALKED_S:
        return 0.0
    reach = longer_side(before.box) * (_REACH + _REACH_PER_S * gap_s)
    return max(0.0, 1.0 - _distance(before.box, track.box) / max(reach, 1.0))


def _is_at_edge(box: Box, size: tuple[int, int]) -> bool:
    x1, y1, x2, y2 = box.normalised(width=size[0], height=size[1])
    return min(x1, y1) <= _EDGE or max(x2, y2) >= 1.0 - _EDGE


def _distance(left: Box, right: Box) -> float:
    """Between the middles, in pixels."""
    return math.hypot(left.x1 + left.x2 - right.x1 - right.x2, left.y1 + left.y2 - right.y1 - right.y2) * 0.5
