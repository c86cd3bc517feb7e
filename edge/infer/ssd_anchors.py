"""The prior boxes of the TensorFlow Object Detection API's SSD, as its published MobileNet configurations make them.

Source: tensorflow/models object_detection/anchor_generators/multiple_grid_anchor_generator.py
(create_ssd_anchors with num_layers 6, min_scale 0.2, max_scale 0.95, aspect ratios 1, 2, 1/2, 3, 0.3333).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LAYERS = 6
_MIN_SCALE, _MAX_SCALE = 0.2, 0.95
# 0.3333, not a third: the configurations spell it so.
_ASPECTS = (1.0, 2.0, 0.5, 3.0, 0.3333)
# The lowest layer has three boxes alone ("reduce_boxes_in_lowest_layer"), the first a tenth of the picture.
_LOWEST_SCALE = 0.1
_FIRST_STRIDE = 16


def default_anchors(*, width: int, height: int) -> NDArray[np.float32]:
    """The default anchors for an input size.

    Returns
    -------
    (n, 4) float32: centre y, centre x, height, width, 0..1 of the input. Layer by layer, row by row, the boxes of
    a cell together.

    Example
    -------
    300x300: grids of 19, 10, 5, 3, 2, 1 cells a side: 1083 + 600 + 150 + 54 + 24 + 6 = 1917 anchors.
    """
    scales = [_MIN_SCALE + (_MAX_SCALE - _MIN_SCALE) * layer / (_LAYERS - 1) for layer in range(_LAYERS)] + [1.0]
    rows, columns = -(-height // _FIRST_STRIDE), -(-width // _FIRST_STRIDE)
    layers = []
    for layer in range(_LAYERS):
        shapes = _shapes(layer, scales[layer], scales[layer + 1])
        # Sizes are parts of the shorter side.
        shapes = shapes * np.minimum(width, height) / np.array([height, width])
        layers.append(_place(shapes, rows=rows, columns=columns))
        rows, columns = -(-rows // 2), -(-columns // 2)
    return np.concatenate(layers).astype(np.float32)


def _shapes(layer: int, scale: float, next_scale: float) -> NDArray[np.float64]:
    """(boxes per cell, 2) height, width."""
    if layer == 0:
        specs = [(_LOWEST_SCALE, 1.0), (scale, 2.0), (scale, 0.5)]
    else:
        specs = [(scale, aspect) for aspect in _ASPECTS] + [((scale * next_scale) ** 0.5, 1.0)]
    return np.array([(size / aspect**0.5, size * aspect**0.5) for size, aspect in specs])


def _place(shapes: NDArray[np.float64], *, rows: int, columns: int) -> NDArray[np.float64]:
    y, x = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
    centres = np.stack([y.ravel(), x.ravel()], axis=1)
    return np.concatenate([np.repeat(centres, len(shapes), axis=0), np.tile(shapes, (rows * columns, 1))], axis=1)
