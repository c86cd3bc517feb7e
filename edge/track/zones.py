"""Who is in which zone: with hysteresis, so that a thing on the border neither flickers nor is taken for a guest.

A thing comes in when it was seen inside for a moment. It goes when it was seen outside for a while, clear of the
border, or for long. One that stands still does neither: a light change moves boxes, not things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.track.areas import Area, Point
from edge.track.visitor import Doubt, Sight, Stay, Visitor, longer_side

# Seconds since a thing was last seen where it is held to be, and sights of it elsewhere.
_ENTER_S = 0.2
_EXIT_S = 0.5
_BORDER_EXIT_S = 3.0
_SIGHTS = 2
_BORDER_SIGHTS = 10
# After so long without a sight that says otherwise one is enough: what low frame rates need.
_ONE_SIGHT_S = 0.5
# The border's width on either side, as a part of the thing's longer side.
_BORDER = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """A thing came into a zone or went out of it.

    sight : the first one on the other side of the border
    is_again : it was lost inside, and found inside again
    """

    visitor: Visitor
    zone: str
    is_in: bool
    sight: Sight
    is_again: bool = False


class Zones:
    """The zones of one camera.

    Parameters
    ----------
    zones : name -> corners, as parts of the picture
    """

    def __init__(self, zones: Mapping[str, Sequence[Point]]) -> None:
        self._areas = {name: Area(corners) for name, corners in zones.items()}

    def update(self, visitors: Sequence[Visitor], size: tuple[int, int]) -> list[Step]:
        """Move the visitors seen in this frame into and out of the zones."""
        seen = [visitor for visitor in visitors if visitor.is_seen]
        if not seen or not self._areas:
            return []
        points = np.array([visitor.anchor for visitor in seen], np.float64)
        inside = {name: area.holds(points).tolist() for name, area in self._areas.items()}
        steps: list[Step] = []
        for i, visitor in enumerate(seen):
            for zone, flags in inside.items():
                step = self._step(visitor, zone, flags[i], size)
                if step is not None:
                    steps.append(step)
        return steps

    def leave(self, visitor: Visitor) -> list[Step]:
        """The zones in which a visitor was whose track has ended; it may have been seen outside already."""
        return [Step(visitor, zone, False, visitor.doubts[zone].first or visitor.sight) for zone in visitor.zones]

    def _step(self, visitor: Visitor, zone: str, is_inside: bool, size: tuple[int, int]) -> Step | None:
        doubt = visitor.doubts.get(zone)
        if doubt is None:
            return self._begin(visitor, zone, is_inside)
        if is_inside == (zone in visitor.stays):
            visitor.doubts[zone] = Doubt(visitor.sight.moment)
            return None
        doubt.first = doubt.first or visitor.sight
        doubt.count += 1
        doubt.clear += not is_inside and self._is_clear(visitor, zone, size)
        if not self._is_settled(visitor, doubt, zone):
            return None
        sight = doubt.first
        visitor.doubts[zone] = Doubt(visitor.sight.moment)
        if is_inside:
            visitor.stays[zone] = Stay(sight.moment)
        else:
            del visitor.stays[zone]
        return Step(visitor, zone, is_inside, sight)

    def _begin(self, visitor: Visitor, zone: str, is_inside: bool) -> Step | None:
        """Nothing speaks against the first sight; a stay goes on where it was interrupted."""
        visitor.doubts[zone] = Doubt(visitor.sight.moment)
        if not is_inside:
            return None
        before = visitor.resumed.get(zone)
        visitor.stays[zone] = before or Stay(visitor.sight.moment)
        return Step(visitor, zone, is_in=True, sight=visitor.sight, is_again=before is not None)

    def _is_clear(self, visitor: Visitor, zone: str, size: tuple[int, int]) -> bool:
        border_px = longer_side(visitor.track.box) * _BORDER
        return self._areas[zone].distance_px(visitor.anchor, size) > border_px

    def _is_settled(self, visitor: Visitor, doubt: Doubt, zone: str) -> bool:
        elapsed_s = visitor.sight.moment.seconds_since(doubt.agreed)
        if doubt.count < _SIGHTS and elapsed_s < _ONE_SIGHT_S:
            return False
        if zone not in visitor.stays:
            return elapsed_s >= _ENTER_S
        if elapsed_s < _EXIT_S:
            return False
        return doubt.clear >= _SIGHTS or (elapsed_s >= _BORDER_EXIT_S and doubt.count >= _BORDER_SIGHTS)
