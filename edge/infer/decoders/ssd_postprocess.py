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
from edge.infer.candidates import ABOVE_ONE, as_scores
from edge.infer.head import DecodeSettings, get_output

_YXYX_TO_XYXY = [1, 0, 3, 2]


class SsdPostprocessDecoder:
    """Any number of boxes, the four outputs in any order: the layout's roles say which is which.

    The numbers are few, and read right after a run, when no cache holds anything of ours: plain Python is done with
    them in a third of the time that some thirty calls of numpy take then.

    rejected : boxes dropped so far because they were none: inside out, infinite, not a number, of no known class
    """

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        self._index = {role: get_output(layout, role).index for role in ("boxes", "classes", "scores", "count")}
        self._kind = layout.score_kind
        self._threshold = float(np.float32(settings.threshold))
        size = (layout.input.width, layout.input.height)
        self._to_pixels = np.array(size + size if layout.box_units == "normalised" else (1, 1, 1, 1), np.float32)
        self._classes = layout.classes
        self._max_boxes = settings.max_boxes
        self.rejected = 0

    def decode(self, outputs: tuple[Tensor, ...]) -> Detections:
        """Detections in model-input pixels, best first."""
        scores = as_scores(self._read(outputs, "scores").ravel(), self._kind).tolist()
        told = scores[: self._count(outputs, len(scores))]
        self.rejected += sum(not -ABOVE_ONE < score < ABOVE_ONE for score in told)
        passing = [place for place, score in enumerate(told) if self._threshold <= score < ABOVE_ONE]
        if not passing:
            return Detections.empty()
        boxes = self._read(outputs, "boxes").reshape(-1, 4)[passing][:, _YXYX_TO_XYXY] * self._to_pixels
        classes = self._read(outputs, "classes").ravel()[passing].tolist()
        proper = [row for row, box in enumerate(boxes.tolist()) if _is_box(box) and self._is_class(classes[row])]
        self.rejected += len(passing) - len(proper)
        best = sorted(proper, key=lambda row: -told[passing[row]])[: self._max_boxes]
        return Detections(
            boxes[best],
            np.array([min(1.0, told[passing[row]]) for row in best], np.float32),
            np.array([round(classes[row]) for row in best], np.int32),
        )

    def _is_class(self, number: float) -> bool:
        return math.isfinite(number) and 0 <= round(number) < self._classes

    def _read(self, outputs: tuple[Tensor, ...], role: str) -> NDArray[np.float32]:
        return outputs[self._index[role]].real()

    def _count(self, outputs: tuple[Tensor, ...], most: int) -> int:
        count = float(self._read(outputs, "count").flat[0])
        return 0 if math.isnan(count) else int(min(max(count, 0.0), most))


def _is_box(corners: list[float]) -> bool:
    x1, y1, x2, y2 = corners
    return 0 < x2 - x1 < math.inf and 0 < y2 - y1 < math.inf
