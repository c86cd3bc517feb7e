"""Where boxes are and where they go: one constant-velocity Kalman filter for many boxes at once.

A box is its centre and its size: four coordinates that know nothing of one another, so each has a filter of 2 x 2
(place, speed) whose algebra is written out: no matrix is ever inverted. All noise is a share of the box's own size and
counted in real seconds, so that neither resolution nor frame rate enters. Then the variances, told in sizes squared,
are the same for both coordinates of the centre and for both of the size: two filters' variances instead of four.

Columns are boxes, and all that time changes stands in one table: a call of numpy costs about a microsecond whether it
has one number to work on or a hundred, so few calls are what makes 20 boxes cheap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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

# Rows of the table: see ``Motion``.
_PLACE, _SPEED, _STATE, _SPREAD = slice(0, 4), slice(4, 8), slice(0, 8), slice(8, 16)
_SIZE, _CENTRE_VARIANCE, _ONE, _ROWS = slice(2, 4), 8, 16, 17

_TO_PLACES = np.array([[0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [-1, 0, 1, 0], [0, -1, 0, 1]])
_TO_CORNERS = np.array([[1, 0, -0.5, 0], [0, 1, 0, -0.5], [1, 0, 0.5, 0], [0, 1, 0, 0.5]])


@dataclass(slots=True)
class Motion:
    """The state of n filters.

    table : (17, n): centre x, centre y, width, height in pixels; the same per second; then in sizes squared, each for
        the centre and for the size: variance of the place, covariance of place and speed, the same once more (the
        matrix is symmetric), variance of the speed; last a row of ones, by which time adds what it adds
    """

    table: Array

    @classmethod
    def begin(cls, places: Array) -> Motion:
        """Filters that have seen one place (4, n) each."""
        n = places.shape[1]
        table = np.zeros((_ROWS, n))
        table[_PLACE] = places
        table[_SPREAD] = np.concatenate([MEASURED, np.zeros((4, 1)), UNKNOWN])
        table[_ONE] = 1.0
        return cls(table)

    @property
    def place(self) -> Array:
        """(4, n) centre x, centre y, width, height."""
        return self.table[_PLACE]

    @property
    def speed(self) -> Array:
        """(4, n) the same per second."""
        return self.table[_SPEED]

    def predict(self, elapsed_s: float) -> None:
        """Let time pass."""
        square = elapsed_s * elapsed_s
        passing = (np.array((1.0, elapsed_s, square, square * elapsed_s)) @ _PASSING).reshape(_ROWS, _ROWS)
        self.table = passing @ self.table
        size = self.table[_SIZE]
        np.maximum(size, _SMALLEST_PX, out=size)

    def correct(self, seen: Array, missed: list[int]) -> None:
        """Take in the places (4, n) where things were seen; the columns ``missed`` were not, and stay as predicted."""
        n = seen.shape[1]
        spread = self.table[_SPREAD].reshape(2, 2, 2, n)
        known = spread[0]
        certainty = known[0] + MEASURED
        np.divide(1.0, certainty, out=certainty)
        if missed:
            certainty[:, missed] = 0.0
        gains = known * certainty
        state = self.table[_STATE]
        surprise = (seen - state[:4]).reshape(2, 2, n)
        state += (gains[:, :, None] * surprise).reshape(8, n)
        spread -= gains[:, None] * known

    def shift(self, which: list[int], pixels: Sequence[float]) -> None:
        """Move these by so much in x and y."""
        self.table[0, which] += pixels[0]
        self.table[1, which] += pixels[1]

    def fade(self, which: list[int], elapsed_s: float) -> None:
        """Believe less in the speed of what is out of sight."""
        self.table[_SPEED, which] *= math.exp(-elapsed_s / FADING_S)

    def stop(self, which: list[int]) -> None:
        """Believe that these stand still."""
        self.table[_SPEED, which] = 0.0

    def doubt(self, most: float) -> Array:
        """(n,) standard deviation of the centre along one axis in pixels, at most the share ``most`` of the size."""
        variance = np.minimum(self.table[_CENTRE_VARIANCE], most * most)
        variance *= self.table[2]
        variance *= self.table[3]
        return np.asarray(np.sqrt(variance, out=variance))

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.table = self.table[:, which]

    def extend(self, more: Motion) -> None:
        """Add filters at the end."""
        self.table = np.concatenate([self.table, more.table], axis=1)


def _passing() -> Array:
    """What time does to a table, as a polynomial: (4, 17 * 17), for 1, t, t^2 and t^3.

    A matrix for each step would do as well, but frames come at odd times and none would be used twice.
    """
    powers = np.zeros((4, _ROWS, _ROWS))
    powers[0] = np.eye(_ROWS)
    powers[1, _PLACE, _SPEED] = np.eye(4)
    own, step = np.eye(2), np.array([[0.0, 1.0], [0.0, 0.0]])
    # F P F' with F = [[1, t], [0, 1]], for the rows of P one after another
    once = np.kron(step, own) + np.kron(own, step)
    powers[1, _SPREAD, _SPREAD] = np.kron(once, own)
    powers[2, _SPREAD, _SPREAD] = np.kron(np.kron(step, step), own)
    nothing = np.zeros(2)
    powers[1, _SPREAD, _ONE] = np.concatenate([WANDERED, nothing, nothing, DRIVEN])
    powers[2, _SPREAD, _ONE] = np.concatenate([nothing, DRIVEN, DRIVEN, nothing]) / 2.0
    powers[3, _SPREAD, _ONE] = np.concatenate([DRIVEN, nothing, nothing, nothing]) / 3.0
    return powers.reshape(4, _ROWS * _ROWS)


_PASSING = _passing()


def to_places(boxes: NDArray[np.float32]) -> Array:
    """(n, 4) x1, y1, x2, y2 -> (4, n) centre x, centre y, width, height; at least a pixel wide and high."""
    places = _TO_PLACES @ boxes.T.astype(np.float64)
    size = places[2:]
    np.maximum(size, _SMALLEST_PX, out=size)
    return np.asarray(places)


def to_corners(places: Array) -> Array:
    """(4, n) centre x, centre y, width, height -> (4, n) x1, y1, x2, y2."""
    return np.asarray(_TO_CORNERS @ places)
