"""Non-maximum suppression: of boxes of one class that overlap, the best stays. In native code."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Further out a coordinate is no place near any picture, and would eat the precision of the class offsets.
_FAR_PX = 1e6
# How many of the best candidates are tried first; the cost grows with their square.
_FIRST_TRY = 512


def suppress(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
    *,
    iou: float,
    max_boxes: int,
) -> NDArray[np.intp]:
    """Which boxes stay, best first.

    Parameters
    ----------
    boxes : (n, 4) float32, x1, y1, x2, y2 with x2 > x1 and y2 > y1, finite
    scores, class_ids : (n,)
    iou : a box goes when it overlaps a better one of its class by more than this
    max_boxes : the best so many of those that stay; the others are dropped

    Returns
    -------
    Indices, by falling score; equal scores in the order they came.
    """
    order = np.argsort(-scores, kind="stable")
    tried = max(_FIRST_TRY, 2 * max_boxes)
    while True:
        # Greedy suppression never looks at weaker boxes: the best of a prefix are the best of all.
        best = order[:tried]
        kept = best[_suppress_sorted(boxes[best], class_ids[best], iou=iou)]
        if len(kept) >= max_boxes or tried >= len(order):
            return kept[:max_boxes]
        tried *= 4


def _suppress_sorted(boxes: NDArray[np.float32], class_ids: NDArray[np.int32], *, iou: float) -> NDArray[np.intp]:
    """For boxes that are sorted already: their rank is their score."""
    if len(boxes) == 0:
        return np.zeros(0, np.intp)
    corners = np.clip(boxes.astype(np.float64), -_FAR_PX, _FAR_PX)
    # OpenCV moves each class by class_id * (greatest coordinate + 1): apart only if no coordinate is negative.
    corners -= corners.min()
    left_top_size = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    # Class ids made dense: 90000 classes shall not cost precision.
    _, dense_ids = np.unique(class_ids, return_inverse=True)
    # OpenCV drops scores that are not strictly above its threshold: ranks are >= 1, so none.
    ranks = np.arange(len(boxes), 0, -1).tolist()
    kept = cv2.dnn.NMSBoxesBatched(left_top_size.tolist(), ranks, dense_ids.tolist(), 0.0, iou)
    return np.asarray(kept, np.intp)
