"""Where boxes are and where they go: one constant-velocity Kalman filter for many boxes at once.

A box is its centre and its size: four coordinates that know nothing of one another, so each has a filter of 2 x 2
(place, speed) whose algebra is written out: no matrix is ever inverted. All noise is a share of the box's own size and
counted in real seconds, so that neither resolution nor frame rate enters. Then the variances, told in sizes squared,
are the same for both coordinates of the centre and for both of the size: two sets of three instead of four.

Columns are boxes: few calls on (rows, n) arrays is what makes 20 of them cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Each pair: for the centre, for the size.
# How far a detector's box lies from the thing: a share of the box's size; widths and heights breathe more than centres.
MEASURED = np.array([[0.05], [0.08]]) ** 2
# Change of speed, sizes per s^1.5 (white-noise acceleration): things keep their way for seconds; the longer the memory
# for speed, the better they are found again behind what hides them.
DRIVEN = np.array([0.2, 0.05]) ** 2
# Wandering of the place itself, sizes per root second: gait, posture, the camera's own shake.
WANDERED = np.array([0.2, 0.2]) ** 2
# First guess of the speed, sizes per second: a walker makes 1.3, a runner 3.
UNKNOWN = np.array([[2.0], [0.25]]) ** 2
# An unseen thing's speed is believed for about this long: things stop and turn behind what hides them.
FADING_S = 5.0
_SMALLEST_PX = 1.0

_TO_PLACES = np.array([[0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [-1, 0, 1, 0], [0, -1, 0, 1]])
_TO_CORNERS = np.array([[1, 0, -0.5, 0], [0, 1, 0, -0.5], [1, 0, 0.5, 0], [0, 1, 0, 0.5]])


@dataclass(slots=True)
class Motion:
    """The state of n filters.

    state : (8, n) centre x, centre y, width, height in pixels, then the same per second
    spread : (6, n) in sizes squared: variance of the place, covariance of place and speed, variance of the speed;
        each for the centre and for the size
    """

    state: Array
    spread: Array

    @classmethod
    def begin(cls, places: Array) -> Motion:
        """Filters that have seen one place (4, n) each."""
        n = places.shape[1]
        first = np.concatenate([MEASURED, np.zeros((2, 1)), UNKNOWN])
        return cls(np.concatenate([places, np.zeros((4, n))]), np.repeat(first, n, axis=1))

    @property
    def place(self) -> Array:
        """(4, n) centre x, centre y, width, height."""
        return self.state[:4]

    def predict(self, elapsed_s: float) -> None:
        """Let time pass."""
        move, widen, noise = _passing(elapsed_s)
        self.state = move @ self.state
        np.maximum(self.state[2:4], _SMALLEST_PX, out=self.state[2:4])
        self.spread = widen @ self.spread
        self.spread += noise

    def correct(self, seen: Array, missed: NDArray[np.bool_] | None) -> None:
        """Take in the places (4, n) where things were seen; the columns ``missed`` were not, and stay as predicted."""
        certainty = 1.0 / (self.spread[:2] + MEASURED)
        if missed is not None:
            certainty[:, missed] = 0.0
        known = self.spread[:4].reshape(2, 2, -1)
        gains = known * certainty
        surprise = (seen - self.state[:4]).reshape(2, 2, -1)
        self.state += (gains[:, :, None] * surprise).reshape(8, -1)
        self.spread[4:] -= gains[1] * known[1]
        known *= 1.0 - gains[0]

    def fade(self, which: NDArray[np.bool_], elapsed_s: float) -> None:
        """Believe less in the speed of what is out of sight."""
        self.state[4:, which] *= np.exp(-elapsed_s / FADING_S)

    def stop(self, which: NDArray[np.bool_]) -> None:
        """Believe that these stand still."""
        self.state[4:, which] = 0.0

    def doubt(self, most: float) -> Array:
        """(n,) standard deviation of the centre along one axis in pixels, at most the share ``most`` of the size."""
        return np.asarray(np.sqrt(np.minimum(self.spread[0], most * most) * self.state[2] * self.state[3]))

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.state, self.spread = self.state[:, which], self.spread[:, which]

    def extend(self, more: Motion) -> None:
        """Add filters at the end."""
        self.state = np.concatenate([self.state, more.state], axis=1)
        self.spread = np.concatenate([self.spread, more.spread], axis=1)


@lru_cache(maxsize=64)
def _passing(elapsed_s: float) -> tuple[Array, Array, Array]:
    """What time does: the matrices of motion (8, 8) and of doubt (6, 6), and the noise (6, 1) that comes in."""
    move = np.eye(8)
    move[:4, 4:] = np.eye(4) * elapsed_s
    square = elapsed_s * elapsed_s
    widen = np.kron([[1.0, 2.0 * elapsed_s, square], [0.0, 1.0, elapsed_s], [0.0, 0.0, 1.0]], np.eye(2))
    place = DRIVEN * square * elapsed_s / 3.0 + WANDERED * elapsed_s
    noise = np.concatenate([place, DRIVEN * square / 2.0, DRIVEN * elapsed_s])
    return move, widen, noise[:, None]


def to_places(boxes: NDArray[np.float32]) -> Array:
    """(n, 4) x1, y1, x2, y2 -> (4, n) centre x, centre y, width, height; at least a pixel wide and high."""
    places = _TO_PLACES @ boxes.T
    np.maximum(places[2:], _SMALLEST_PX, out=places[2:])
    return np.asarray(places)


def to_corners(places: Array) -> Array:
    """(4, n) centre x, centre y, width, height -> (4, n) x1, y1, x2, y2."""
    return np.asarray(_TO_CORNERS @ places)
