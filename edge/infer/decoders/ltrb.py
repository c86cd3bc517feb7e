"""Our own anchor-free head: class scores, and left, top, right, bottom distances in strides.

Source: the model's card; the form is FCOS's with strides as the unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.model import ModelLayout
from edge.core.values import Tensor
from edge.infer.grid import boxes_from_distances, make_cells
from edge.infer.head import DecodeSettings, DenseHead, make_plane


class LtrbDecoder(DenseHead):
    """scores [1, n, classes] and boxes [1, n, 4], or their transposes."""

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        scores = make_plane(layout, "scores", channels=layout.classes)
        self._boxes = make_plane(layout, "boxes", channels=4, candidates=scores.candidates)
        self._cells, self._strides = make_cells(layout, candidates=scores.candidates)
        super().__init__(layout, settings, scores=scores, first=0)

    def _read_boxes(self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        distances = self._boxes.rows(outputs, positions)
        return boxes_from_distances(distances, self._cells[positions], self._strides[positions])
