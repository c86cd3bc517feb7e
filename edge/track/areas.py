"""Points and areas of the picture, as parts of its width and height: 0..1 from the upper left corner."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.core.values import Box

Point = tuple[float, float]
Anchor = Literal["bottom", "centre"]
Points = NDArray[np.float64]

# A thing cut off by the picture's edge stands on it: a hair inside, so that an area up to the edge holds it.
_EDGE = 1e-6


class Area:
    """A polygon without crossing sides.

    Parameters
    ----------
    corners : at least three, in the order of a walk along the edge; the last side closes it
    """

    def __init__(self, corners: Sequence[Point]) -> None:
        self._corners = tuple(corners)
        first = np.array(corners, np.float64)
        second = np.roll(first, -1, axis=0)
        self._x, self._y, self._end_y = first[:, 0], first[:, 1], second[:, 1]
        rise = self._end_y - self._y
        flat = rise == 0.0
        self._slope = np.where(flat, 0.0, (second[:, 0] - first[:, 0]) / np.where(flat, 1.0, rise))

    def holds(self, points: Points) -> NDArray[np.bool_]:
        """Which of the (n, 2) points lie inside: a ray to the right meets an odd number of sides."""
        x, y = points[:, :1], points[:, 1:]
        straddles = (self._y > y) != (self._end_y > y)
        meets = straddles & (x < self._x + (y - self._y) * self._slope)
        inside: NDArray[np.bool_] = np.logical_xor.reduce(meets, axis=1)
        return inside

    def distance_px(self, point: Point, size: tuple[int, int]) -> float:
        """From a point to the nearest side, in pixels of a picture of that size."""
        ends = self._corners[1:] + self._corners[:1]
        return min(distance_px(point, start, end, size) for start, end in zip(self._corners, ends, strict=True))


def anchor_of(box: Box, anchor: Anchor, size: tuple[int, int]) -> Point:
    """Where a thing stands: the middle of its lower edge, or of its box for cameras that look straight down."""
    x = (box.x1 + box.x2) * 0.5 / size[0]
    y = (box.y2 if anchor == "bottom" else (box.y1 + box.y2) * 0.5) / size[1]
    return min(max(x, _EDGE), 1.0 - _EDGE), min(max(y, _EDGE), 1.0 - _EDGE)


def anchors_of(boxes: NDArray[np.float32], anchor: Anchor, size: tuple[int, int]) -> Points:
    """As ``anchor_of`` for (n, 4) boxes in pixels; (n, 2)."""
    wide = boxes.astype(np.float64)
    y = wide[:, 3] if anchor == "bottom" else (wide[:, 1] + wide[:, 3]) * 0.5
    points = np.stack([(wide[:, 0] + wide[:, 2]) * 0.5, y], axis=1) / np.array(size, np.float64)
    return np.asarray(np.clip(points, _EDGE, 1.0 - _EDGE))


def distance_px(point: Point, start: Point, end: Point, size: tuple[int, int]) -> float:
    """From a point to the straight way between two others, in pixels of a picture of that size."""
    width, height = size
    x, y = (point[0] - start[0]) * width, (point[1] - start[1]) * height
    dx, dy = (end[0] - start[0]) * width, (end[1] - start[1]) * height
    length = dx * dx + dy * dy
    along = 0.0 if length == 0.0 else min(max((x * dx + y * dy) / length, 0.0), 1.0)
    return math.hypot(x - along * dx, y - along * dy)


def in_any(areas: Iterable[Area], points: Points) -> NDArray[np.bool_]:
    """Which of the (n, 2) points lie in at least one of the areas."""
    inside = np.zeros(len(points), np.bool_)
    for area in areas:
        inside |= area.holds(points)
    return inside
