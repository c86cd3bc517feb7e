"""YOLOX: objectness and classes as in YOLOv5; boxes decoded in the graph, or raw offsets and log sizes in cells.

Raw: centre = (offset + cell) * stride, size = exp(log size) * stride.
Source: Megvii-BaseDetection/YOLOX yolox/models/yolo_head.py (decode_outputs).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import centre_to_corner
from edge.core.model import ModelLayout
from edge.core.values import Tensor
from edge.infer.grid import make_cells
from edge.infer.head import DecodeSettings
from edge.infer.objectness import ObjectnessHead


class YoloxDecoder(ObjectnessHead):
    """[1, n, 5 + classes] or its transpose."""

    _grows = True

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        super().__init__(layout, settings)
        self._cells = make_cells(layout, candidates=self._plane.candidates) if layout.grid == "raw" else None

    def _read_boxes(self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        boxes = self._plane.rows(outputs, positions, last=4)
        if self._cells is None:
            return self._to_pixels(centre_to_corner(boxes))
        cells, strides = (part[positions] for part in self._cells)
        centres, sizes = (boxes[:, :2] + cells) * strides, np.exp(boxes[:, 2:]) * strides
        return centre_to_corner(np.concatenate([centres, sizes], axis=1))
