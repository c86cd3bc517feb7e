"""How many of each label are there, in the picture and in each zone."""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.events import Occupancy
from edge.track.visitor import Visitor

Place = tuple[str | None, str]


class Headcount:
    """Counts visitors and tells what changed.

    Parameters
    ----------
    labels : told from the first frame on, with 0 where there are none; others are told once they were seen
    zones : names
    """

    def __init__(self, labels: Iterable[str], zones: Iterable[str]) -> None:
        self._labels: tuple[str, ...] = ()
        self._counts: dict[Place, int] = {}
        self._told: dict[Place, int] = {}
        self.change(labels, zones)

    def change(self, labels: Iterable[str], zones: Iterable[str]) -> None:
        """Other labels or zones from now on; what was told of those that stay is not told again."""
        places: list[str | None] = [None, *zones]
        before, self._labels = self._labels, tuple(labels)
        gone = set(before) - set(self._labels)
        kept = {place: count for place, count in self._counts.items() if place[0] in places and place[1] not in gone}
        self._counts = {(zone, label): 0 for zone in places for label in self._labels} | kept
        self._told = {place: count for place, count in self._told.items() if place in self._counts}

    def update(self, visitors: Iterable[Visitor]) -> None:
        """Count anew; those out of sight that are expected back count."""
        counts = dict.fromkeys(self._counts, 0)
        for visitor in visitors:
            label = visitor.track.label
            counts[None, label] = counts.get((None, label), 0) + 1
            for zone in visitor.stays:
                counts[zone, label] = counts.get((zone, label), 0) + 1
        self._counts = counts

    def changes(self) -> list[Occupancy]:
        """The counts that were not told yet, once each."""
        changed = [
            Occupancy(place[1], count, place[0])
            for place, count in self._counts.items()
            if self._told.get(place) != count
        ]
        self._told = dict(self._counts)
        return changed
