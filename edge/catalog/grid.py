"""Counts of candidates: which strides give a head this many cells for this input size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# In the order of how common they are. P3-P5 is every YOLO; P6 and P2 are its large and small-object variants.
STRIDE_SETS = (
    (8, 16, 32),
    (8, 16, 32, 64),
    (4, 8, 16, 32),
    (8, 16, 32, 64, 128),
    (16, 32),
    (8, 16),
    (16, 32, 64),
    (4, 8, 16),
)
_ANCHORS_PER_CELL = 3


def cell_counts(width: int, height: int, strides: tuple[int, ...]) -> tuple[int, ...]:
    """Cells per level; a size that a stride does not divide is rounded up, as padded convolutions do."""
    return tuple(-(-width // stride) * -(-height // stride) for stride in strides)


def strides_of(candidates: int, width: int, height: int) -> tuple[int, ...] | None:
    """The strides whose cells are this many, one candidate per cell; None if none fit."""
    return next((s for s in STRIDE_SETS if sum(cell_counts(width, height, s)) == candidates), None)


def anchor_strides_of(candidates: int, width: int, height: int) -> tuple[int, ...] | None:
    """The same for anchor heads, three candidates per cell."""
    each, rest = divmod(candidates, _ANCHORS_PER_CELL)
    return None if rest else strides_of(each, width, height)


def cell_centres(width: int, height: int, strides: tuple[int, ...]) -> NDArray[np.float32]:
    """(cells, 2) float32: x, y of each cell's middle, 0..1 of the input, level by level, row by row."""
    levels = []
    for stride in strides:
        columns, rows = -(-width // stride), -(-height // stride)
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        levels.append(np.stack([(x.ravel() + 0.5) / columns, (y.ravel() + 0.5) / rows], axis=1))
    return np.asarray(np.concatenate(levels), np.float32)


def follows(values: NDArray[np.float32], positions: NDArray[np.float32]) -> bool:
    """Whether values rise with a position on the picture (correlation above 0.8): centres do, distances do not."""
    if len(values) != len(positions) or float(np.ptp(values)) == 0.0 or not np.isfinite(values).all():
        return False
    return bool(np.corrcoef(values, positions)[0, 1] > 0.8)
