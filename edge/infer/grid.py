"""The cells of an anchor-free head: for each candidate its cell and stride."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ModelError
from edge.core.model import ModelLayout


def make_cells(layout: ModelLayout, *, candidates: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The cells of all strides, in the layout's order of strides, each row by row.

    Returns
    -------
    cells : (n, 2) float32, column and row of each candidate's cell
    strides : (n, 1) float32, pixels per cell

    Raises
    ------
    ModelError
        When the strides give another number of cells than the output has candidates.

    Example
    -------
    416x416 with strides 8, 16, 32: 52*52 + 26*26 + 13*13 = 3549.
    """
    width, height = layout.input.width, layout.input.height
    expected = count_cells(width, height, layout.strides)
    if expected != candidates:
        raise ModelError(
            f"{layout.family}: strides {layout.strides} at {width}x{height} make {expected} candidates, the model has "
            f"{candidates}; are the strides in the card right?"
        )
    cells, strides = [], []
    for stride in layout.strides:
        rows, columns = np.divmod(np.arange(count_cells(width, height, (stride,))), -(-width // stride))
        cells.append(np.stack([columns, rows], axis=1))
        strides.append(np.full((len(rows), 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def count_cells(width: int, height: int, strides: Sequence[int]) -> int:
    """Cells of all strides together; a begun cell counts ("same" padding)."""
    return sum(-(-width // stride) * -(-height // stride) for stride in strides)


def boxes_from_distances(
    distances: NDArray[np.float32], cells: NDArray[np.float32], strides: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Left, top, right, bottom distances from the cells' centres, in strides -> x1, y1, x2, y2 in pixels.

    Example
    -------
    Cell (3, 1) of stride 8 with distances 1, 1, 2, 2: centre (28, 12), box 20, 4, 44, 28.
    """
    centres = cells + np.float32(0.5)
    corners = np.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], axis=1)
    return np.asarray(corners * strides, np.float32)
