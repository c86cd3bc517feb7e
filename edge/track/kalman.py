"""Where boxes are and where they go: one constant-velocity Kalman filter for many boxes at once.

Each box has four coordinates (centre x, centre y, width, height) that know nothing of one another, so a filter is
2 x 2 (place, speed) and its algebra is written out: no matrix is ever inverted. All noise is a share of the box's own
size and counted in real seconds, so that neither resolution nor frame rate enters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# How far a detector's box lies from the thing: a share of the box's size; widths and heights breathe more than centres.
MEASURED = np.array([0.05, 0.05, 0.08, 0.08]) ** 2
# Change of speed, sizes per s^1.5 (white-noise acceleration): things keep their way for seconds; the longer the memory
# for speed, the better they are found again behind what hides them.
DRIVEN = np.array([0.2, 0.2, 0.05, 0.05]) ** 2
# Wandering of the place itself, sizes per root second: gait, posture, the camera's own shake.
WANDERED = np.array([0.2, 0.2, 0.2, 0.2]) ** 2
# First guess of the speed, sizes per second: a walker makes 1.3, a runner 3.
UNKNOWN = np.array([2.0, 2.0, 0.25, 0.25]) ** 2
# An unseen thing's speed is believed for about this long: things stop and turn behind what hides them.
FADING_S = 5.0
_SMALLEST_PX = 1.0


@dataclass(slots=True)
class Motion:
    """The state of n filters.

    place : (n, 4) centre x, centre y, width, height in pixels
    speed : (n, 4) the same per second
    spread : (n, 4) variance of the place, pixels squared
    shared : (n, 4) covariance of place and speed
    speed_spread : (n, 4) variance of the speed
    """

    place: Array
    speed: Array
    spread: Array
    shared: Array
    speed_spread: Array

    @classmethod
    def begin(cls, boxes: Array) -> Motion:
        """Filters that have seen one box each. boxes: (n, 4) x1, y1, x2, y2."""
        place = to_place(boxes)
        scale = _size_squared(place)
        return cls(place, np.zeros_like(place), scale * MEASURED, np.zeros_like(place), scale * UNKNOWN)

    def __len__(self) -> int:
        return len(self.place)

    def predict(self, elapsed_s: float) -> None:
        """Let time pass."""
        if elapsed_s <= 0.0:
            return
        scale = _size_squared(self.place) * elapsed_s
        drive = scale * DRIVEN
        self.place = self.place + self.speed * elapsed_s
        np.maximum(self.place[:, 2:], _SMALLEST_PX, out=self.place[:, 2:])
        carried = self.speed_spread * elapsed_s
        self.spread = self.spread + (2.0 * self.shared + carried + drive * (elapsed_s / 3.0)) * elapsed_s + scale * WANDERED
        self.shared = self.shared + carried + drive * (elapsed_s / 2.0)
        self.speed_spread = self.speed_spread + drive

    def correct(self, rows: NDArray[np.intp], boxes: Array) -> None:
        """Take in what was seen: boxes (m, 4) x1, y1, x2, y2 of the m filters ``rows``."""
        seen = to_place(boxes)
        spread, shared = self.spread[rows], self.shared[rows]
        certainty = 1.0 / (spread + _size_squared(seen) * MEASURED)
        place_gain, speed_gain = spread * certainty, shared * certainty
        surprise = seen - self.place[rows]
        self.place[rows] += place_gain * surprise
        self.speed[rows] += speed_gain * surprise
        self.speed_spread[rows] -= speed_gain * shared
        self.shared[rows] = shared - place_gain * shared
        self.spread[rows] = spread - place_gain * spread

    def fade(self, rows: NDArray[np.bool_], elapsed_s: float) -> None:
        """Believe less in the speed of what is out of sight."""
        self.speed[rows] *= np.exp(-elapsed_s / FADING_S)

    def keep(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> None:
        """Forget all others."""
        self.place, self.speed = self.place[which], self.speed[which]
        self.spread, self.shared, self.speed_spread = self.spread[which], self.shared[which], self.speed_spread[which]

    def extend(self, more: Motion) -> None:
        """Add filters at the end."""
        self.place = np.concatenate([self.place, more.place])
        self.speed = np.concatenate([self.speed, more.speed])
        self.spread = np.concatenate([self.spread, more.spread])
        self.shared = np.concatenate([self.shared, more.shared])
        self.speed_spread = np.concatenate([self.speed_spread, more.speed_spread])

    def boxes(self) -> Array:
        """(n, 4) x1, y1, x2, y2."""
        half = self.place[:, 2:] * 0.5
        return np.concatenate([self.place[:, :2] - half, self.place[:, :2] + half], axis=1)

    def doubt(self) -> Array:
        """(n,) standard deviation of the centre along one axis, pixels."""
        return np.asarray(np.sqrt(self.spread[:, 0]))


def to_place(boxes: Array) -> Array:
    """x1, y1, x2, y2 -> centre x, centre y, width, height; at least a pixel wide and high."""
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2], _SMALLEST_PX)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) * 0.5, sizes], axis=1)


def _size_squared(place: Array) -> Array:
    """(n, 1) area: the square of the side of a square as large as the box."""
    return place[:, 2:3] * place[:, 3:4]
