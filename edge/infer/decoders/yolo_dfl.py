"""YOLO's two-tensor export: class scores, and each side of a box as a distribution over bins (DFL).

A distance is the mean bin under the softmax, in strides; 16 bins in YOLOv8/9/11, 8 in NanoDet; a single "bin" is the
distance itself.
Source: ultralytics/nn/modules/block.py (DFL), head.py (Detect); Li et al., Generalized Focal Loss, 2020.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ModelError
from edge.core.model import ModelLayout
from edge.core.values import Tensor
from edge.infer.grid import boxes_from_distances, make_cells
from edge.infer.head import DecodeSettings, DenseHead, make_plane


class YoloDflDecoder(DenseHead):
    """scores [1, n, classes] and boxes [1, n, 4 * bins], or their transposes."""

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        scores = make_plane(layout, "scores", channels=layout.classes)
        self._boxes = make_plane(layout, "boxes", candidates=scores.candidates)
        if self._boxes.channels % 4:
            raise ModelError(
                f"{layout.family} output boxes ({self._boxes.output.name}): expected 4 * bins channels, "
                f"found {self._boxes.channels}"
            )
        self._cells, self._strides = make_cells(layout, candidates=scores.candidates)
        super().__init__(layout, settings, scores=scores, first=0)

    def _read_boxes(self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        distances = mean_bins(self._boxes.rows(outputs, positions).reshape(len(positions), 4, -1))
        return boxes_from_distances(distances, self._cells[positions], self._strides[positions])


def mean_bins(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 4, bins) logits -> (n, 4): the softmax's mean bin; a single bin is the number itself."""
    bins = logits.shape[2]
    if bins == 1:
        return logits[:, :, 0]
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    means = weights @ np.arange(bins, dtype=np.float32) / weights.sum(axis=2)
    return np.asarray(means, np.float32)
