"""Boxes as arithmetic: (n, 4) arrays of x1, y1, x2, y2, x2/y2 exclusive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]


def areas(boxes: Boxes) -> NDArray[np.float32]:
    """Area of each box; 0 where it is inside out."""
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    return np.asarray(sizes[:, 0] * sizes[:, 1], np.float32)


def pairwise_intersection(left: Boxes, right: Boxes) -> NDArray[np.float32]:
    """The area that each left box shares with each right one: (len(left), len(right)) float32."""
    top_left = np.maximum(left[:, None, :2], right[None, :, :2])
    bottom_right = np.minimum(left[:, None, 2:], right[None, :, 2:])
    sides = np.maximum(bottom_right - top_left, 0.0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def pairwise_iou(left: Boxes, right: Boxes) -> NDArray[np.float32]:
    """Overlap of each left box with each right one.

    Returns
    -------
    (len(left), len(right)) float32, 0..1: intersection over union; 0 where both are empty.

    Example
    -------
    [0, 0, 2, 2] and [1, 0, 3, 2] share 2 of 6: 0.333.
    """
    shared = pairwise_intersection(left, right)
    union = areas(left)[:, None] + areas(right)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared, np.float32), where=union > 0)


def clip_boxes(boxes: Boxes, *, width: float, height: float) -> Boxes:
    """The part of each box inside a width x height picture."""
    limits = np.array([width, height, width, height], np.float32)
    inside = np.minimum(boxes, limits)  # in two steps: np.clip is four times as long on its way to the same
    return np.maximum(inside, np.float32(0.0), out=inside)


def centre_to_corner(boxes: Boxes) -> Boxes:
    """cx, cy, w, h -> x1, y1, x2, y2."""
    centres, half = boxes[:, :2], boxes[:, 2:] * np.float32(0.5)
    corners = np.empty_like(boxes, np.float32)  # in the order of the boxes' memory, or each row is a loop of two
    np.subtract(centres, half, out=corners[:, :2])
    np.add(centres, half, out=corners[:, 2:])
    return corners


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a source picture lies inside the model input, in input pixels: x' = x * scale_x + left.

    letterbox: scale_x == scale_y up to the rounding of the picture's size; stretch: left == top == 0.
    """

    scale_x: float
    scale_y: float
    left: int
    top: int
    source_width: int
    source_height: int

    def to_source(self, boxes: Boxes) -> Boxes:
        """Model-input pixels -> source-frame pixels, cut off at the frame's edges. Exact inverse of the placing."""
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        scale = np.array([self.scale_x, self.scale_y, self.scale_x, self.scale_y], np.float32)
        return clip_boxes((boxes - offset) / scale, width=self.source_width, height=self.source_height)

    def to_input(self, boxes: Boxes) -> Boxes:
        """Source-frame pixels -> model-input pixels."""
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        scale = np.array([self.scale_x, self.scale_y, self.scale_x, self.scale_y], np.float32)
        return boxes * scale + offset


def place_letterbox(*, source: tuple[int, int], target: tuple[int, int]) -> tuple[Placement, tuple[int, int]]:
    """Keep the aspect, centre, pad the rest.

    Parameters
    ----------
    source, target : (width, height) in pixels

    Returns
    -------
    The placement, and the (width, height) the picture gets inside the target.

    Example
    -------
    1280x720 into 416x416: scale 0.325, 416x234 at left 0, top 91.
    """
    ratio = min(target[0] / source[0], target[1] / source[1])
    width = max(1, min(target[0], round(source[0] * ratio)))
    height = max(1, min(target[1], round(source[1] * ratio)))
    placement = Placement(
        scale_x=width / source[0],
        scale_y=height / source[1],
        left=(target[0] - width) // 2,
        top=(target[1] - height) // 2,
        source_width=source[0],
        source_height=source[1],
    )
    return placement, (width, height)


def place_stretch(*, source: tuple[int, int], target: tuple[int, int]) -> Placement:
    """Fill the target; the aspect goes."""
    return Placement(target[0] / source[0], target[1] / source[1], 0, 0, source[0], source[1])
