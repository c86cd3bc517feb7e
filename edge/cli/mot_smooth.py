"""Where things were, told afterwards: from what was seen of them before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.cli.mot_text import Row

Array = NDArray[np.float64]

# A detector's boxes jitter from frame to frame; a walker's way is nearly straight for so long (standard deviation).
_WINDOW_S = 0.2
_REACH = 3.0  # sights further away than so many standard deviations count for nothing
_SMALLEST_PX = 1.0
_FLAT = 1e-9


def smooth(rows: Iterable[Row], fps: float) -> list[Row]:
    """Each box on the straight line that fits its neighbours in time best, the nearer the more they count.

    rows : in the order of frames, at most one of a track in a frame; so is the answer

    Notes
    -----
    Local linear regression with Gaussian weights (Cleveland, 1979), once for each coordinate of centre and size. A
    plain average would lag behind what speeds up and shorten the ends of a way.
    """
    tracks: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        tracks[row.track_id].append(row)
    smoothed = [each for track in tracks.values() for each in _smooth_track(track, fps)]
    smoothed.sort(key=lambda row: row.frame)
    return smoothed


def _smooth_track(rows: list[Row], fps: float) -> list[Row]:
    frames = np.array([row.frame for row in rows])
    frames -= frames[0]
    boxes = np.array([(row.left + row.width / 2, row.top + row.height / 2, row.width, row.height) for row in rows])
    centres_and_sizes = _local_lines(frames, boxes, fps)
    np.maximum(centres_and_sizes[:, 2:], _SMALLEST_PX, out=centres_and_sizes[:, 2:])
    return [
        replace(row, left=x - width / 2, top=y - height / 2, width=width, height=height)
        for row, (x, y, width, height) in zip(rows, centres_and_sizes.tolist(), strict=True)
    ]


def _local_lines(frames: NDArray[np.int64], values: Array, fps: float) -> Array:
    """(n, k) values at n ascending frames -> what the lines through their neighbours are there."""
    reach = int(_REACH * _WINDOW_S * fps)
    if reach < 1:
        return values.copy()
    away = np.arange(-reach, reach + 1) / (_WINDOW_S * fps)
    weight = np.exp(-0.5 * away * away)
    seen = np.zeros(frames[-1] + 1)
    seen[frames] = 1.0

    def around(what: Array, kernel: Array) -> Array:
        """At each sight, the weighted sum over its neighbours."""
        return np.convolve(what, kernel[::-1])[reach : reach + len(what)][frames]

    total, lean, breadth = (around(seen, weight * away**power) for power in range(3))
    spread = total * breadth - lean * lean
    is_flat = spread <= _FLAT * total * breadth
    answer = np.empty_like(values)
    for column in range(values.shape[1]):
        dense = np.zeros_like(seen)
        dense[frames] = values[:, column]
        mean, tilt = around(dense, weight), around(dense, weight * away)
        line = (breadth * mean - lean * tilt) / np.where(is_flat, 1.0, spread)
        answer[:, column] = np.where(is_flat, mean / total, line)
    return answer
