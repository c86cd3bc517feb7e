"""Where boxes are and where they go: one constant-velocity Kalman filter for many boxes at once.

Each box has four coordinates (centre x, centre y, width, height) that know nothing of one another, so a filter is
2 x 2 (place, speed) and its algebra is written out: no matrix is ever inverted. All noise is a share of the box's own
size and counted in real seconds, so that neither resolution nor frame rate enters.

Arrays are (4, n), one row per coordinate: whole rows lie together in memory, which halves the cost at 20 boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# How far a detector's box lies from the thing: a share of the box's size; widths and heights breathe more than centres.
MEASURED = np.array([[0.05], [0.05], [0.08], [0.08]]) ** 2
# Change of speed, sizes per s^1.5 (white-noise acceleration): things keep their way for seconds; the longer the memory
# for speed, the better they are found again behind what hides them.
DRIVEN = np.array([[0.2], [0.2], [0.05], [0.05]]) ** 2
# Wandering of the place itself, sizes per root second: gait, posture, the camera's own shake.
WANDERED = np.array([[0.2], [0.2], [0.2], [0.2]]) ** 2
# First guess of the speed, sizes per second: a walker makes 1.3, a runner 3.
UNKNOWN = np.array([[2.0], [2.0], [0.25], [0.25]]) ** 2
# An unseen thing's speed is believed for about this long: things stop and turn behind what hides them.
FADING_S = 5.0
_SMALLEST_PX = 1.0


@dataclass(slots=True)
class Motion:
    """The state of n filters; every array is (4, n), pixels and seconds.

    place : centre x, centre y, width, height
    speed : the same per second
    spread, shared, speed_spread : variance of the place, its covariance with the speed, variance of the speed
    """

    place: Array
    speed: Array
    spread: Array
    shared: Array
    speed_spread: Array

    @classmethod
    def begin(cls, places: Array) -> Motion:
        """Filters that have seen one place each."""
        area = places[2] * places[3]
        return cls(places, np.zeros_like(places), MEASURED * area, np.zeros_like(places), UNKNOWN * area)

    def predict(self, elapsed_s: float) -> None:
        """Let time pass."""
        scale = self.place[2] * self.place[3] * elapsed_s
        drive = DRIVEN * scale
        carried = self.speed_spread * elapsed_s
        self.place += self.speed * elapsed_s
        np.maximum(self.place[2:], _SMALLEST_PX, out=self.place[2:])
        self.spread += (2.0 * self.shared + carried + drive * (elapsed_s / 3.0)) * elapsed_s + WANDERED * scale
        self.shared += carried + drive * (elapsed_s / 2.0)
        self.speed_spread += drive

    def correct(self, seen: Array, missed: NDArray[np.bool_]) -> None:
        """Take in the places where things were seen; the columns ``missed`` were not, and stay as predicted."""
        certainty = 1.0 / (self.spread + MEASURED * (seen[2] * seen[3]))
        certainty[:, missed] = 0.0
        gain, speed_gain = self.spread * certainty, self.shared * certainty
        surprise = seen - self.place
        self.place += gain * surprise
        self.speed += speed_gain * surprise
        self.speed_spread -= speed_gain * self.shared
        remaining = 1.0 - gain
        self.shared *= remaining
        self.spread *= remaining

    def fade(self, which: NDArray[np.bool_], elapsed_s: float) -> None:
        """Believe less in the speed of what is out of sight."""
        self.speed[:, which] *= np.exp(-elapsed_s / FADING_S)

    def stop(self, which: NDArray[np.bool_]) -> None:
        """Believe that these stand still."""
        self.speed[:, which] = 0.0

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.place, self.speed = self.place[:, which], self.speed[:, which]
        self.spread, self.shared = self.spread[:, which], self.shared[:, which]
        self.speed_spread = self.speed_spread[:, which]

    def extend(self, more: Motion) -> None:
        """Add filters at the end."""
        self.place = np.concatenate([self.place, more.place], axis=1)
        self.speed = np.concatenate([self.speed, more.speed], axis=1)
        self.spread = np.concatenate([self.spread, more.spread], axis=1)
        self.shared = np.concatenate([self.shared, more.shared], axis=1)
        self.speed_spread = np.concatenate([self.speed_spread, more.speed_spread], axis=1)

    def doubt(self) -> Array:
        """(n,) standard deviation of the centre along one axis, pixels."""
        return np.asarray(np.sqrt(self.spread[0]))


def to_places(boxes: NDArray[np.float32]) -> Array:
    """(n, 4) x1, y1, x2, y2 -> (4, n) centre x, centre y, width, height; at least a pixel wide and high."""
    corners = boxes.T.astype(np.float64)
    places = np.empty_like(corners)
    np.add(corners[:2], corners[2:], out=places[:2])
    places[:2] *= 0.5
    np.subtract(corners[2:], corners[:2], out=places[2:])
    np.maximum(places[2:], _SMALLEST_PX, out=places[2:])
    return places


def to_corners(places: Array) -> Array:
    """(4, n) centre x, centre y, width, height -> (4, n) x1, y1, x2, y2."""
    half = places[2:] * 0.5
    return np.concatenate([places[:2] - half, places[:2] + half])
