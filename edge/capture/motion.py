"""How much of the picture is not as it was when the model was last asked to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge.capture.places import find_places
from edge.capture.small_picture import Grey
from edge.core.glance import Place

Polygon = Sequence[tuple[float, float]]

# A pixel counts as changed from this difference (of 255) on. Sensor noise stays below 15, and so does a codec's.
_PIXEL = 25
# Both measured on person-walk.mp4 with four models (tools/bench/gate.py): from 0.03 on a count comes late.
_LEAST_PART = 0.015
# Cells of 1/20 x 1/15 of the picture. One that is half changed is a thing too small for the part above.
_CELLS = (20, 15)
_LEAST_CELL = 0.5


@dataclass(frozen=True, slots=True)
class Motion:
    """changed : part of the watched picture, 0..1; moved : enough to look again."""

    changed: float
    moved: bool


class MotionMeter:
    """Compares each picture with a reference, and takes the picture as the next reference when enough has changed.

    So slow motion adds up until it is seen, and what the model found on the reference holds for all pictures like it.
    A picture that is brighter or darker as a whole is compared as if it were not: exposure moves nothing.

    Parameters
    ----------
    ignored : polygons, as parts of the picture, in which nothing counts
    """

    def __init__(self, ignored: Sequence[Polygon] = ()) -> None:
        self._ignored = tuple(ignored)
        self._reference: Grey | None = None
        self._reference_mean = 0.0
        self._watched: Grey | None = None
        self._difference: Grey | None = None
        self._watched_px = 1
        self._tightness = 1.0
        self._is_all_new = True

    def tighten(self, factor: float) -> None:
        """So many times more must change than usual; 1 = as usual."""
        self._tightness = factor

    def places(self) -> tuple[Place, ...]:
        """Where that was which ``measure`` found last; empty where all was new."""
        return (
            ()
            if self._difference is None or self._is_all_new
            else find_places(self._difference, tightness=self._tightness)
        )

    def renew(self, grey: Grey) -> None:
        """The model looks at this picture: it is the reference from now on."""
        if self._reference is None or self._reference.shape != grey.shape:
            self._resize(grey)
        self._reference = grey
        self._reference_mean = cv2.mean(grey, self._watched)[0]

    def measure(self, grey: Grey) -> Motion:
        """Against the reference; the first picture, and one of another size, is all new."""
        self._is_all_new = self._reference is None or self._reference.shape != grey.shape
        if self._reference is None or self._difference is None or self._is_all_new:
            self.renew(grey)
            return Motion(1.0, moved=True)
        found = self._compare(self._reference, grey, self._difference)
        if found.moved:
            self.renew(grey)
        return found

    def _compare(self, reference: Grey, grey: Grey, difference: Grey) -> Motion:
        shift = round(cv2.mean(grey, self._watched)[0] - self._reference_mean)  # whole: a third of the time
        if shift:
            # a scalar is added with saturation, so that the burnt-out stays burnt out
            reference = cv2.add(reference, shift, difference)
        cv2.absdiff(grey, reference, difference)
        cv2.threshold(difference, _PIXEL, 255, cv2.THRESH_BINARY, difference)
        if self._watched is not None:
            cv2.bitwise_and(difference, self._watched, difference)
        part = cv2.countNonZero(difference) / self._watched_px
        return Motion(part, moved=self._is_enough(part, difference))

    def _is_enough(self, part: float, difference: Grey) -> bool:
        if part >= _LEAST_PART * self._tightness:
            return True
        least_cells = _LEAST_CELL * self._tightness**2  # when less is to be seen, small things are the first to go
        if part * _CELLS[0] * _CELLS[1] < least_cells:
            return False
        shares = cv2.resize(difference, _CELLS, interpolation=cv2.INTER_AREA)
        cv2.threshold(shares, 255 * _LEAST_CELL, 0, cv2.THRESH_TOZERO, shares)
        return bool(cv2.sumElems(shares)[0] >= 255 * least_cells)

    def _resize(self, grey: Grey) -> None:
        height, width = grey.shape
        self._difference = np.empty_like(grey)
        self._watched = _watched(self._ignored, width=width, height=height)
        self._watched_px = grey.size if self._watched is None else max(1, cv2.countNonZero(self._watched))


def _watched(ignored: Sequence[Polygon], *, width: int, height: int) -> Grey | None:
    """255 where changes count, 0 in ignored areas; None = everywhere."""
    if not ignored:
        return None
    mask = np.full((height, width), 255, np.uint8)
    corners = [np.rint(np.asarray(polygon) * (width, height)).astype(np.int32) for polygon in ignored]
    for each in corners:  # one by one: together, areas that overlap would cancel out
        cv2.fillPoly(mask, [each], [0])
    return mask
