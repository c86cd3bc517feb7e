"""Non-maximum suppression: of boxes of one class that overlap, the best stays. In native code."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Further out a coordinate is no place near any picture, and would eat the precision of the class offsets.
_FAR_PX = 1e6
# Ids above this are numbered anew: they are sparse, and times a coordinate would eat precision as well.
_MANY_CLASSES = 10_000
# Scores for OpenCV, best first: it drops those that are not strictly above its threshold, 0, so none.
_RANKS = np.arange(1024, 0, -1, dtype=np.float32)
# Lists of boxes are read faster than arrays of them; plain numbers the other way round, whatever its types say.
_native: Any = cv2.dnn.NMSBoxesBatched
# How many of the best candidates are tried first; the cost grows with their square.
_FIRST_TRY = 512


def suppress(
    boxes: NDArray[np.float32], class_ids: NDArray[np.int32], *, iou: float, max_boxes: int
) -> NDArray[np.intp]:
    """Which boxes stay.

    Parameters
    ----------
    boxes : (n, 4) float32, x1, y1, x2, y2 with x2 > x1 and y2 > y1, finite; best first
    class_ids : (n,) int32
    iou : a box goes when it overlaps a better one of its class by more than this
    max_boxes : the best so many of those that stay; the others are dropped

    Returns
    -------
    Indices, rising.
    """
    tried = max(_FIRST_TRY, 2 * max_boxes)
    while True:
        # Greedy suppression never looks at weaker boxes: the best of a prefix are the best of all.
        kept = _suppress_all(boxes[:tried], class_ids[:tried], iou=iou)
        if len(kept) >= max_boxes or tried >= len(boxes):
            return kept[:max_boxes]
        tried *= 4


def _suppress_all(boxes: NDArray[np.float32], class_ids: NDArray[np.int32], *, iou: float) -> NDArray[np.intp]:
    if len(boxes) == 0:
        return np.zeros(0, np.intp)
    corners = boxes.astype(np.float64)
    lowest = corners.min()
    if lowest < -_FAR_PX or corners.max() > _FAR_PX:
        np.clip(corners, -_FAR_PX, _FAR_PX, out=corners)
        lowest = corners.min()
    # OpenCV moves each class by class_id * (greatest coordinate + 1): apart only if no coordinate is negative.
    corners -= lowest
    corners[:, 2:] -= corners[:, :2]  # OpenCV wants x, y, width, height
    if class_ids.max() > _MANY_CLASSES:
        class_ids = np.unique(class_ids, return_inverse=True)[1].astype(np.int32)
    return np.asarray(_native(corners.tolist(), _ranks(len(boxes)), class_ids, 0.0, iou), np.intp)


def _ranks(count: int) -> NDArray[np.float32]:
    return _RANKS[-count:] if count <= len(_RANKS) else np.arange(count, 0, -1, dtype=np.float32)
