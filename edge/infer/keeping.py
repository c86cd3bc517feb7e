"""The last step of every decoder: what is no box goes, overlaps go, the best come first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.values import Detections
from edge.infer.candidates import Candidates, is_score
from edge.infer.nms import suppress

# A broken or noisy model can score every place: the best so many are looked at, so that memory and time stay bounded.
MAX_CANDIDATES = 30_000
# Sizes of boxes within it are finite.
_FAR = 1e30


class Keeper:
    """Turns candidates with boxes into detections.

    rejected : boxes dropped so far because they were inside out, empty, infinite or not a number, or their score or
        class was none
    """

    def __init__(self, *, classes: int, nms_iou: float | None, max_boxes: int) -> None:
        """
        Parameters
        ----------
        nms_iou : None = the model has done its own NMS
        max_boxes : at most so many detections per frame
        """
        self._classes = classes
        self._nms_iou = nms_iou
        self._max_boxes = max_boxes
        self.rejected = 0

    def only_scores(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) scores with -1, which passes nowhere, in place of numbers that are none; those are counted."""
        proper = is_score(scores)
        if proper.all():
            return scores
        self.rejected += int(len(proper) - np.count_nonzero(proper))
        return np.where(proper, scores, np.float32(-1.0))

    def keep(self, boxes: NDArray[np.float32], found: Candidates) -> Detections:
        """(n, 4) boxes in model-input pixels, one per candidate -> detections, best first."""
        scores, class_ids = found.scores, found.class_ids
        if not self._are_all_real(boxes, class_ids):
            real = self._are_real(boxes, class_ids)
            self.rejected += int(len(real) - np.count_nonzero(real))
            boxes, scores, class_ids = boxes[real], scores[real], class_ids[real]
        kept = self._choose(boxes, scores, class_ids)
        return Detections(boxes.take(kept, axis=0), scores.take(kept), class_ids.take(kept))

    def _choose(
        self, boxes: NDArray[np.float32], scores: NDArray[np.float32], class_ids: NDArray[np.int32]
    ) -> NDArray[np.intp]:
        order = (-scores).argsort(kind="stable")[:MAX_CANDIDATES]
        if self._nms_iou is None or len(order) < 2:
            return order[: self._max_boxes]
        # take: a third of the time that indexing by an array takes
        best, ids = boxes.take(order, axis=0), class_ids.take(order)
        return order.take(suppress(best, ids, iou=self._nms_iou, max_boxes=self._max_boxes))

    def _are_all_real(self, boxes: NDArray[np.float32], class_ids: NDArray[np.int32]) -> bool:
        # The common case in a third of the time: extremes of the whole, of which one that is no number fails both.
        if len(boxes) == 0:
            return True
        if not (boxes.min() > -_FAR and boxes.max() < _FAR):
            return False
        sizes = boxes[:, 2:] - boxes[:, :2]
        return bool(sizes.min() > 0 and class_ids.view(np.uint32).max() < self._classes)

    def _are_real(self, boxes: NDArray[np.float32], class_ids: NDArray[np.int32]) -> NDArray[np.bool_]:
        # A side with an infinite end, or none that is a number, has a size that is not between these two.
        with np.errstate(invalid="ignore", over="ignore"):
            sizes = boxes[:, 2:] - boxes[:, :2]
            proper = ((sizes > 0) & (sizes < np.inf)).all(axis=1)
        return np.asarray(proper & (class_ids.view(np.uint32) < self._classes), np.bool_)  # -1 reads as the largest


def whole_class_ids(classes: NDArray[np.float32]) -> NDArray[np.int32]:
    """Class ids that came as real numbers; -1 for what is none, which the keeper drops."""
    proper = np.isfinite(classes) & (np.abs(classes) < 2**31 - 1)
    return np.where(proper, np.rint(np.where(proper, classes, 0)), -1).astype(np.int32)
