"""YOLOv10 and YOLO26: boxes come out ready, at most so many, without any NMS to do.

Six channels: x1, y1, x2, y2, score, class.
Source: ultralytics/nn/modules/head.py (postprocess).
"""

from __future__ import annotations

import numpy as np

from edge.core.model import ModelLayout
from edge.core.values import Detections, Tensor
from edge.infer.candidates import Candidates, as_scores
from edge.infer.head import DecodeSettings, make_plane
from edge.infer.keeping import Keeper, whole_class_ids


class YoloEnd2EndDecoder:
    """[1, n, 6] or its transpose."""

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        self._plane = make_plane(layout, "output", channels=6)
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
        rows = self._plane.rows(outputs, np.arange(self._plane.candidates))
        scores = self._keeper.only_scores(as_scores(rows[:, 4], self._kind))
        passing = np.flatnonzero(scores >= self._threshold)
        found = Candidates(passing, np.minimum(scores[passing], np.float32(1.0)), whole_class_ids(rows[passing, 5]))
        return self._keeper.keep(rows[passing, :4] * self._to_pixels, found)
