"""A frame looked at in parts besides the whole: what was found in each, told once and in the frame's own pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import areas, pairwise_intersection, pairwise_iou
from edge.core.values import Detections, Frame, StageTimes
from edge.infer.detector import Detector
from edge.infer.nms import suppress

# A box that ends this near an inner edge of its part is taken as cut by it.
_EDGE_PX = 3
# One that ends within this much of the part's side from an inner edge may show what is left of a thing that is cut.
_NEAR_EDGE = 0.1
# Overlap from which two boxes of one class, one of them made of few pixels, are one thing.
_SAME_IOU = 0.45
# So much of a box within another: a piece of it.
_PIECE = 0.6

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a frame in its pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


def look_at_part(detector: Detector, frame: Frame, part: Part) -> tuple[Detections, StageTimes]:
    """What is found there, in the frame's pixels, without what an inner edge of the part cuts.

    That is left to the neighbour, which sees it whole, or to the whole picture.
    """
    image = frame.image[part.top : part.bottom, part.left : part.right]
    found, times = detector.look(replace(frame, image=image, resized=None))
    boxes = found.boxes + np.array([part.left, part.top, part.left, part.top], np.float32)
    moved = Detections(boxes, found.scores, found.class_ids)
    return moved.select(~_ends_near(boxes, part, frame, margin_px=(_EDGE_PX, _EDGE_PX))), times


def merge_found(
    whole: Detections, looks: list[tuple[Part, Detections]], frame: Frame, *, iou: float, max_boxes: int
) -> Detections:
    """All that was found, each thing once.

    Of boxes of one class that overlap, the best stays. Between the whole picture and a part a smaller overlap is
    enough, since the whole picture's box is made of few pixels; and what a part shows at its edge, and is a piece of
    what the whole picture shows more surely, goes.
    """
    parts = []
    for part, found in looks:
        if len(whole) and len(found):
            whole, found = _agree(whole, found, part, frame)  # noqa: PLW2901 - both lose what the other has
        parts.append(found)
    boxes = np.concatenate([whole.boxes, *(found.boxes for found in parts)])
    scores = np.concatenate([whole.scores, *(found.scores for found in parts)])
    class_ids = np.concatenate([whole.class_ids, *(found.class_ids for found in parts)])
    order = np.argsort(-scores, kind="stable")
    kept = order[suppress(boxes[order], class_ids[order], iou=iou, max_boxes=max_boxes)]
    return Detections(boxes[kept], scores[kept], class_ids[kept])


def add_times(one: StageTimes, other: StageTimes) -> StageTimes:
    """Of one frame in several looks; its age stays that of the first."""
    return StageTimes(
        one.capture, one.preprocess + other.preprocess, one.infer + other.infer, one.decode + other.decode
    )


def _agree(whole: Detections, found: Detections, part: Part, frame: Frame) -> tuple[Detections, Detections]:
    is_one_class = whole.class_ids[:, None] == found.class_ids[None, :]
    is_shown = _is_inside(whole.boxes, part) & ~_ends_near(whole.boxes, part, frame, margin_px=(_EDGE_PX, _EDGE_PX))
    is_same = is_one_class & is_shown[:, None] & (pairwise_iou(whole.boxes, found.boxes) >= _SAME_IOU)
    is_better = whole.scores[:, None] >= found.scores[None, :]

    margin_px = (_NEAR_EDGE * (part.right - part.left), _NEAR_EDGE * (part.bottom - part.top))
    share = pairwise_intersection(whole.boxes, found.boxes) / np.maximum(areas(found.boxes), 1e-6)[None, :]
    is_piece = is_one_class & ~is_shown[:, None] & (share >= _PIECE) & is_better
    is_left_out = is_piece.any(axis=0) & _ends_near(found.boxes, part, frame, margin_px=margin_px)
    is_left_out |= (is_same & is_better).any(axis=0)
    return whole.select(~(is_same & ~is_better).any(axis=1)), found.select(~is_left_out)


def _is_inside(boxes: NDArray[np.float32], part: Part) -> Flags:
    is_right_of, is_left_of = boxes[:, 0] >= part.left, boxes[:, 2] <= part.right
    return np.asarray(is_right_of & is_left_of & (boxes[:, 1] >= part.top) & (boxes[:, 3] <= part.bottom), np.bool_)


def _ends_near(boxes: NDArray[np.float32], part: Part, frame: Frame, *, margin_px: tuple[float, float]) -> Flags:
    """Whether a box reaches an inner edge of the part, which is no edge of the frame."""
    across, down = margin_px
    left = (boxes[:, 0] < part.left + across) & (part.left > 0)
    top = (boxes[:, 1] < part.top + down) & (part.top > 0)
    right = (boxes[:, 2] > part.right - across) & (part.right < frame.width)
    bottom = (boxes[:, 3] > part.bottom - down) & (part.bottom < frame.height)
    return np.asarray(left | top | right | bottom, np.bool_)
