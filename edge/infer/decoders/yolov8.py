"""YOLOv8, YOLOv9, YOLO11: one plane of 4 + classes channels, or the two parts as outputs of their own.

Boxes are centre x, centre y, width, height; no objectness.
Source: ultralytics/nn/modules/head.py (Detect) and the exporter's output layout.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import centre_to_corner
from edge.core.model import ModelLayout
from edge.core.values import Tensor
from edge.infer.head import DecodeSettings, DenseHead, make_plane

_BOX = 4


class Yolov8Decoder(DenseHead):
    """[1, 4 + classes, n] or [1, n, 4 + classes]; or boxes and scores apart."""

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        if "output" in layout.outputs:
            self._boxes = make_plane(layout, "output", channels=_BOX + layout.classes)
            scores, first = self._boxes, _BOX
        else:
            scores, first = make_plane(layout, "scores", channels=layout.classes), 0
            self._boxes = make_plane(layout, "boxes", channels=_BOX, candidates=scores.candidates)
        super().__init__(layout, settings, scores=scores, first=first)

    def _read_boxes(self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        return self._to_pixels(centre_to_corner(self._boxes.rows(outputs, positions, last=_BOX)))
