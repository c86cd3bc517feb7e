"""Which detection continues which track: likeness of boxes, and the best pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


def likeness(expected: Array, found: Array, margin: Array) -> Array:
    """Overlap of boxes that are widened by how unsure their place is.

    Parameters
    ----------
    expected : (4, n) x1, y1, x2, y2 where tracks should be now; none may be empty
    found : (4, m) detections, likewise
    margin : (n,) pixels by which both boxes of a pair grow on each side

    Returns
    -------
    (n, m) 0..1: intersection over union of the grown boxes. Without margin this is plain IoU; with it, boxes that a
    low frame rate has torn apart still know each other, the nearer the better.

    Notes
    -----
    The idea is the buffered IoU of C-BIoU (Yang et al., WACV 2023); there the buffer is a constant, here it is the
    Kalman filter's own doubt.
    """
    left, top, right, bottom = expected[:, :, None]
    grow = (margin * 2.0)[:, None]
    width = np.minimum(right, found[2]) - np.maximum(left, found[0])
    height = np.minimum(bottom, found[3]) - np.maximum(top, found[1])
    width += grow
    height += grow
    np.maximum(width, 0.0, out=width)
    np.maximum(height, 0.0, out=height)
    shared = width * height
    union = (found[2] - found[0] + grow) * (found[3] - found[1] + grow)
    union += (right - left + grow) * (bottom - top + grow)
    union -= shared
    return np.asarray(shared / union)


def best_pairs(likenesses: Array, least: float) -> Pairs:
    """Pair rows with columns, the most alike first, none below ``least``.

    Returns
    -------
    (rows, columns), each (k,): a row and a column occur at most once.
    """
    rows, columns = np.nonzero(likenesses >= least)
    if len(rows) < 2:
        return rows, columns
    order = np.argsort(-likenesses[rows, columns], kind="stable")
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    chosen = []
    for row, column, index in zip(rows[order].tolist(), columns[order].tolist(), order.tolist(), strict=True):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            chosen.append(index)
    return rows[chosen], columns[chosen]
