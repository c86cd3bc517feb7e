"""Where in a picture something moves: what has changed, gathered into a few boxes."""

from __future__ import annotations

import cv2
import numpy as np

from edge.capture.small_picture import Grey
from edge.core.glance import Place

_CELL_PX = 8  # of the small picture: what is nearer together than that is one thing
# A person of 20 pixels in a picture of 1920 is 3 of the small one's; noise and codecs change single ones.
_LEAST_PX = 3
_MOST = 8


def find_places(changed: Grey, *, tightness: float = 1.0) -> tuple[Place, ...]:
    """
    Parameters
    ----------
    changed : (height, width) uint8, 255 where the small picture has changed, else 0
    tightness : so many times more must change than usual, in each direction

    Returns
    -------
    Boxes around what has changed, the most changed first, eight at most. Of equals the upper one comes first, then
    the one further left: the same picture has the same places, always.

    Notes
    -----
    0.07 ms for 320x180 in which two things move. Coarse cells do here what opening and closing would at full size.
    """
    if not cv2.countNonZero(changed):
        return ()
    height, width = changed.shape
    columns, rows = max(1, width // _CELL_PX), max(1, height // _CELL_PX)
    shares = cv2.resize(changed, (columns, rows), interpolation=cv2.INTER_AREA)
    things, numbers, stats, _ = cv2.connectedComponentsWithStats(cv2.threshold(shares, 0, 255, cv2.THRESH_BINARY)[1])
    weights = np.bincount(numbers.ravel(), weights=shares.ravel(), minlength=things)
    least = 255 * _LEAST_PX * tightness**2 * columns * rows / changed.size
    found = [number for number in range(1, things) if weights[number] >= least]
    found.sort(key=lambda number: (-weights[number], stats[number, cv2.CC_STAT_TOP], stats[number, cv2.CC_STAT_LEFT]))
    return tuple(_place(stats[number], columns, rows) for number in found[:_MOST])


def _place(stats: np.ndarray[tuple[int], np.dtype[np.int32]], columns: int, rows: int) -> Place:
    left, top = int(stats[cv2.CC_STAT_LEFT]), int(stats[cv2.CC_STAT_TOP])
    right, bottom = left + int(stats[cv2.CC_STAT_WIDTH]), top + int(stats[cv2.CC_STAT_HEIGHT])
    return left / columns, top / rows, right / columns, bottom / rows
