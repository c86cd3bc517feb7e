"""MediaPipe's BlazeFace: faces, as offsets from fixed cell centres, in input pixels.

Each candidate has 16 numbers: centre x, centre y, width, height relative to its cell, then six key points (unused).
Source: mediapipe/modules/face_detection/*.pbtxt (SsdAnchorsCalculator with fixed_anchor_size,
TensorsToDetectionsCalculator with reverse_output_order).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ModelError
from edge.core.geometry import centre_to_corner
from edge.core.model import ModelLayout
from edge.core.values import Tensor
from edge.infer.grid import count_cells
from edge.infer.head import DecodeSettings, DenseHead, make_plane

# How many anchors share a cell, by stride. Layers of one stride are merged: three layers of 16 with two anchors each
# put six at every cell. Short range: 8, 16, 16, 16; the older back-camera model: 16, 32, 32, 32; full range: 4 alone.
_SCHEMES: tuple[dict[int, int], ...] = ({8: 2, 16: 6}, {16: 2, 32: 6}, {4: 1})


class BlazefaceDecoder(DenseHead):
    """boxes [1, n, 16] and scores [1, n, 1] (logits)."""

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        scores = make_plane(layout, "scores", channels=layout.classes)
        self._boxes = make_plane(layout, "boxes", candidates=scores.candidates)
        self._centres = make_centres(layout, anchors=scores.candidates)
        super().__init__(layout, settings, scores=scores, first=0)

    def _read_boxes(self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        boxes = self._boxes.rows(outputs, positions, last=4)
        boxes[:, :2] += self._centres[positions]
        return centre_to_corner(boxes)


def make_centres(layout: ModelLayout, *, anchors: int) -> NDArray[np.float32]:
    """(n, 2) x, y of each anchor's cell centre in input pixels, for the published scheme with this many anchors.

    Example
    -------
    128x128 with 896 anchors: 16*16 cells of stride 8 with 2 each, then 8*8 of stride 16 with 6 each.
    """
    width, height = layout.input.width, layout.input.height
    own = {stride: layout.strides.count(stride) for stride in layout.strides}
    for scheme in (*_SCHEMES, own, {stride: 2 * layers for stride, layers in own.items()}):
        if sum(count_cells(width, height, (stride,)) * each for stride, each in scheme.items()) == anchors:
            return np.concatenate([_centres_of(width, height, stride, each) for stride, each in scheme.items()])
    raise ModelError(
        f"{layout.family}: no known BlazeFace makes {anchors} anchors at {width}x{height} "
        "(known: 896 at 128x128 and 256x256, 2304 at 192x192); name its strides in the card"
    )


def _centres_of(width: int, height: int, stride: int, each: int) -> NDArray[np.float32]:
    columns, rows = -(-width // stride), -(-height // stride)
    x, y = np.meshgrid((np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows)
    return np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), each, axis=0).astype(np.float32)
