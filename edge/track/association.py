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
    expected : (n, 4) x1, y1, x2, y2 where tracks should be now
    found : (m, 4) detections
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
    grow = margin[:, None] * 2.0
    sides = np.minimum(expected[:, None, 2:], found[None, :, 2:]) - np.maximum(expected[:, None, :2], found[None, :, :2])
    sides += grow[:, :, None]
    np.maximum(sides, 0.0, out=sides)
    shared = sides[:, :, 0] * sides[:, :, 1]
    size = expected[:, 2:] - expected[:, :2] + grow
    found_size = found[:, 2:] - found[:, :2]
    area = size[:, 0] * size[:, 1]
    found_area = (found_size[None, :, 0] + grow) * (found_size[None, :, 1] + grow)
    union = area[:, None] + found_area - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


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
