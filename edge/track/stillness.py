"""Which things stand still: by where they are, not by how fast a jittering box seems to move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.track.settings import TrackerSettings

Array = NDArray[np.float64]

# How far an edge may stray, as a share of the width or height, before a thing has left its place. A thing that was
# still gets twice the room: a shadow or a light that comes and goes moves an edge by a fifth, and nothing has moved.
SETTLING = 0.2
SETTLED = 0.4
# The place follows so slowly, in seconds, that the day's shadows are swallowed and a snail is not.
FOLLOWING_S = 60.0
# One odd box is no departure, however much time lies between two looks.
_LOOKS_AWAY = 2


@dataclass(slots=True)
class Stillness:
    """The place of n things.

    places : (4, n) x1, y1, x2, y2 where each was when it came there
    since_s : (n,) when it came there; home_s : (n,) when it was last seen there
    away : (n,) looks in a row that found it elsewhere
    still : (n,) whether it counts as stationary
    """

    places: Array
    since_s: Array
    home_s: Array
    away: NDArray[np.int64]
    still: NDArray[np.bool_]

    @classmethod
    def begin(cls, corners: Array, now_s: float) -> Stillness:
        """Things that have just come. corners: (4, n)."""
        n = corners.shape[1]
        times = np.full(n, now_s)
        return cls(corners.copy(), times, times.copy(), np.zeros(n, np.int64), np.zeros(n, np.bool_))

    def look(self, corners: Array, seen: NDArray[np.bool_], now_s: float, times: TrackerSettings) -> None:
        """Judge the things ``seen`` by their boxes (4, n); the others stay as they were."""
        drift = corners - self.places
        strayed = seen & (_reach(self.places, drift) > np.where(self.still, SETTLED, SETTLING))
        home = seen & ~strayed
        follow = np.minimum((now_s - self.home_s) / FOLLOWING_S, 1.0) * (home & self.still)
        self.away = np.where(home, 0, self.away + strayed)
        gone = (self.away >= _LOOKS_AWAY) & (now_s - self.home_s >= times.moving_after_s)
        left = strayed & (gone | ~self.still)
        self.home_s[home | left] = now_s
        self.since_s[left] = now_s
        self.away[left] = 0
        self.places = np.where(left, corners, self.places + drift * follow)
        self.still = ~left & (self.still | (home & (now_s - self.since_s >= times.still_after_s)))

    def resting(self, corners: Array, which: list[int]) -> list[bool]:
        """Of the k things ``which``, by their boxes (4, k): who is in its place right now, and not just setting off."""
        places = self.places[:, which]
        rests: list[bool] = (_reach(places, corners - places) <= SETTLED).tolist()
        return rests

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.places = self.places[:, which]
        self.since_s, self.home_s = self.since_s[which], self.home_s[which]
        self.away, self.still = self.away[which], self.still[which]

    def extend(self, more: Stillness) -> None:
        """Add things at the end."""
        self.places = np.concatenate([self.places, more.places], axis=1)
        self.since_s = np.concatenate([self.since_s, more.since_s])
        self.home_s = np.concatenate([self.home_s, more.home_s])
        self.away = np.concatenate([self.away, more.away])
        self.still = np.concatenate([self.still, more.still])


def _reach(places: Array, drift: Array) -> Array:
    """(n,) how far the edge that strayed most has gone, as a share of the width or height."""
    sides = np.maximum(places[2:] - places[:2], 1.0)
    return np.asarray((np.abs(drift).reshape(2, 2, -1).max(axis=0) / sides).max(axis=0))
