"""Which things stand still: by where they are, not by how fast a jittering box seems to move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

# How far an edge may stray, as a share of the width or height, before a thing has left its place. A thing that was
# still gets twice the room: a shadow or a light that comes and goes moves an edge by a fifth, and nothing has moved.
SETTLING = 0.2
SETTLED = 0.4
# The place follows so slowly, in seconds, that the day's shadows are swallowed and a snail is not.
FOLLOWING_S = 60.0
# One odd box is no departure, however much time lies between two frames.
_FRAMES_AWAY = 2


@dataclass(slots=True)
class Stillness:
    """The place of n things.

    places : (n, 4) x1, y1, x2, y2 where each was when it came there
    since_s : (n,) when it came there; home_s : (n,) when it was last seen there
    away : (n,) frames in a row in which it was seen elsewhere
    still : (n,) whether it counts as stationary
    """

    places: Array
    since_s: Array
    home_s: Array
    away: NDArray[np.int64]
    still: NDArray[np.bool_]

    @classmethod
    def begin(cls, boxes: Array, now_s: float) -> Stillness:
        """Things that have just come."""
        n = len(boxes)
        times = np.full(n, now_s)
        return cls(boxes.copy(), times, times.copy(), np.zeros(n, np.int64), np.zeros(n, np.bool_))

    def update(self, rows: Rows, boxes: Array, now_s: float, *, still_after_s: float, moving_after_s: float) -> None:
        """Judge the things ``rows`` that were seen at ``boxes`` (m, 4); the others stay as they were."""
        places, still = self.places[rows], self.still[rows]
        drift = boxes - places
        sides = np.maximum(places[:, 2:] - places[:, :2], 1.0)
        reach = (np.abs(drift).reshape(-1, 2, 2).max(axis=1) / sides).max(axis=1)
        home = reach <= np.where(still, SETTLED, SETTLING)
        away = np.where(home, 0, self.away[rows] + 1)
        home_s = np.where(home, now_s, self.home_s[rows])
        left = ~home & (~still | ((away >= _FRAMES_AWAY) & (now_s - home_s >= moving_after_s)))
        follow = np.minimum(1.0, (now_s - self.home_s[rows]) / FOLLOWING_S) * (still & home)
        since_s = np.where(left, now_s, self.since_s[rows])
        self.places[rows] = np.where(left[:, None], boxes, places + drift * follow[:, None])
        self.since_s[rows], self.home_s[rows] = since_s, np.where(left, now_s, home_s)
        self.away[rows] = np.where(left, 0, away)
        self.still[rows] = ~left & (still | (now_s - since_s >= still_after_s))

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.places, self.since_s, self.home_s = self.places[which], self.since_s[which], self.home_s[which]
        self.away, self.still = self.away[which], self.still[which]

    def extend(self, more: Stillness) -> None:
        """Add things at the end."""
        self.places = np.concatenate([self.places, more.places])
        self.since_s = np.concatenate([self.since_s, more.since_s])
        self.home_s = np.concatenate([self.home_s, more.home_s])
        self.away = np.concatenate([self.away, more.away])
        self.still = np.concatenate([self.still, more.still])
