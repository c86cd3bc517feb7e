"""SSD without post-processing in its graph: encodings relative to anchors, and class scores with a background.

An encoding is (y, x, h, w): centre = encoding / variance * anchor size + anchor centre,
size = exp(encoding / variance) * anchor size; all 0..1 of the input.
Source: tensorflow/models object_detection/box_coders/faster_rcnn_box_coder.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ModelError
from edge.core.model import ModelLayout
from edge.core.values import Tensor
from edge.infer.head import DecodeSettings, DenseHead, Plane, make_plane
from edge.infer.ssd_anchors import default_anchors


class SsdRawDecoder(DenseHead):
    """boxes [1, n, 4], scores [1, n, classes (+ 1)], and anchors from an output, the file or the default grid."""

    _grows = True

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        background = int(layout.background)
        scores = make_plane(layout, "scores", channels=layout.classes + background)
        self._boxes = make_plane(layout, "boxes", channels=4, candidates=scores.candidates)
        self._anchors = _find_anchors(layout, settings, candidates=scores.candidates)
        self._variances = np.array(layout.anchors.variances if layout.anchors else (10, 10, 5, 5), np.float32)
        super().__init__(layout, settings, scores=scores, first=background)

    def _read_boxes(self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        anchors = (
            self._anchors.rows(outputs, positions) if isinstance(self._anchors, Plane) else self._anchors[positions]
        )
        return self._scale(decode_boxes(self._boxes.rows(outputs, positions) / self._variances, anchors))

    def _scale(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        width, height = self._layout.input.width, self._layout.input.height
        return np.asarray(boxes * np.array([width, height, width, height], np.float32), np.float32)


def decode_boxes(encodings: NDArray[np.float32], anchors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 4) y, x, h, w, already divided by the variances, and anchors cy, cx, h, w -> x1, y1, x2, y2, 0..1."""
    centres = encodings[:, :2] * anchors[:, 2:] + anchors[:, :2]
    halves = np.exp(encodings[:, 2:]) * anchors[:, 2:] * np.float32(0.5)
    low, high = centres - halves, centres + halves
    return np.stack([low[:, 1], low[:, 0], high[:, 1], high[:, 0]], axis=1)


def _find_anchors(layout: ModelLayout, settings: DecodeSettings, *, candidates: int) -> NDArray[np.float32] | Plane:
    if layout.anchors is None:
        raise ModelError(f"{layout.family}: the layout does not say where the anchors come from; inspect it again")
    if layout.anchors.kind == "output":
        return make_plane(layout, "anchors", channels=4, candidates=candidates)
    if layout.anchors.kind == "generated":
        anchors = default_anchors(width=layout.input.width, height=layout.input.height)
    elif settings.anchors is None:
        raise ModelError(f"{layout.family}: the anchors are a constant in the file (tensor {layout.anchors.tensor})")
    else:
        anchors = np.asarray(settings.anchors, np.float32)
    found = anchors.reshape(-1, 4) if anchors.size % 4 == 0 else anchors
    if found.shape != (candidates, 4):
        raise ModelError(
            f"{layout.family}: expected {candidates} anchors of 4 numbers, the {layout.anchors.kind} ones are "
            f"{anchors.shape}; are the anchors in the card right?"
        )
    return found
