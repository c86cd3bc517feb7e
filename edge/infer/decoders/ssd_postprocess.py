"""SSD and EfficientDet-Lite whose graph ends in TFLite_Detection_PostProcess: boxes, classes, scores and a count.

Boxes are y1, x1, y2, x2; NMS is done; class 0 is the first real class (the operator has dropped the background).
Source: tensorflow/lite/kernels/detection_postprocess.cc.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.core.model import ModelLayout
from edge.core.values import Detections, Tensor
from edge.infer.candidates import Candidates, as_scores
from edge.infer.head import DecodeSettings, get_output
from edge.infer.keeping import Keeper, whole_class_ids

_YXYX_TO_XYXY = [1, 0, 3, 2]


class SsdPostprocessDecoder:
    """Any number of boxes, the four outputs in any order: the layout's roles say which is which."""

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        self._index = {role: get_output(layout, role).index for role in ("boxes", "classes", "scores", "count")}
        self._kind = layout.score_kind
        self._threshold = np.float32(settings.threshold)
        size = (layout.input.width, layout.input.height)
        self._to_pixels = np.array(size + size if layout.box_units == "normalised" else (1, 1, 1, 1), np.float32)
        self._keeper = Keeper(classes=layout.classes, nms_iou=None, max_boxes=settings.max_boxes)

    @property
    def rejected(self) -> int:
        """Boxes dropped so far because they were none: inside out, infinite, not a number, of no known class."""
        return self._keeper.rejected

    def decode(self, outputs: tuple[Tensor, ...]) -> Detections:
        """Detections in model-input pixels, best first."""
        scores = as_scores(self._read(outputs, "scores").ravel(), self._kind)
        told = self._keeper.only_scores(scores[: self._count(outputs, len(scores))])
        passing = np.flatnonzero(told >= self._threshold)
        if len(passing) == 0:
            return Detections.empty()
        classes = self._read(outputs, "classes").ravel()[passing]
        boxes = self._read(outputs, "boxes").reshape(-1, 4)[passing][:, _YXYX_TO_XYXY] * self._to_pixels
        found = Candidates(passing, np.minimum(scores[passing], np.float32(1.0)), whole_class_ids(classes))
        return self._keeper.keep(boxes, found)

    def _read(self, outputs: tuple[Tensor, ...], role: str) -> NDArray[np.float32]:
        return outputs[self._index[role]].real()

    def _count(self, outputs: tuple[Tensor, ...], most: int) -> int:
        count = float(self._read(outputs, "count").flat[0])
        return 0 if math.isnan(count) else int(min(max(count, 0.0), most))
