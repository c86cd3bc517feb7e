"""The cheap look that each frame gets, where its picture is: does something move, does it live, is the lens clear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.capture.lens import lens_facts
from edge.capture.mishaps import Mishaps
from edge.capture.motion import MotionMeter, Polygon
from edge.capture.small_picture import Grey, small_grey
from edge.core.glance import Glance, LensFacts

_LENS_EVERY_NS = 333_000_000  # a lens is covered for seconds, not for frames
_KEEPALIVE_S = 2.0


class Glancer:
    """Looks at one camera's frames, in their order.

    Parameters
    ----------
    ignored : polygons, as parts of the picture, in which motion does not count
    keepalive_s : how long the model may rest while nothing moves
    mishaps : what the camera's source counts
    finds_places : whether it is asked where something moves; then what moves anywhere asks for a look, however small
    """

    def __init__(
        self,
        ignored: Sequence[Polygon] = (),
        *,
        keepalive_s: float = _KEEPALIVE_S,
        mishaps: Mishaps | None = None,
        finds_places: bool = False,
    ) -> None:
        self._finds_places = finds_places
        self._motion = MotionMeter(ignored)
        self._keepalive_ns = round(keepalive_s * 1e9)
        self._mishaps = mishaps or Mishaps()
        self._before: Grey | None = None
        self._is_settling = False
        self._asked_ns = 0
        self._lens_ns: int | None = None

    def tighten(self, factor: float) -> None:
        """So many times more must change than usual before it counts as moved."""
        self._motion.tighten(factor)

    def look(self, image: NDArray[np.uint8], captured_ns: int) -> Glance:
        """
        Parameters
        ----------
        image : (height, width, 3) uint8, RGB
        captured_ns : the frame's; after a step back all that is due from time to time is due at once
        """
        grey = small_grey(image)
        motion = self._motion.measure(grey)
        moving = self._motion.places() if self._finds_places else ()
        is_same = self._before is not None and _are_same(self._before, grey)
        self._before = grey
        asks = self._asks(grey, captured_ns, is_moving=motion.moved or bool(moving))
        lens = self._lens(grey, captured_ns)
        mishaps = self._mishaps
        return Glance(motion.changed, motion.moved, asks, is_same, lens, mishaps.unreadable, mishaps.misdated, moving)

    def pass_over(self) -> Glance:
        """Of a frame that nobody has to look at: as if all in it were new."""
        return Glance(1.0, moved=True, asks=True, unreadable=self._mishaps.unreadable, misdated=self._mishaps.misdated)

    def _asks(self, grey: Grey, captured_ns: int, *, is_moving: bool) -> bool:
        """What was seen while moving may look otherwise at rest: one more look then."""
        is_due = not 0 <= captured_ns - self._asked_ns < self._keepalive_ns
        asks = is_moving or self._is_settling or is_due
        self._is_settling = is_moving
        if asks:
            self._motion.renew(grey)
            self._asked_ns = captured_ns
        return asks

    def _lens(self, grey: Grey, captured_ns: int) -> LensFacts | None:
        if self._lens_ns is not None and 0 <= captured_ns - self._lens_ns < _LENS_EVERY_NS:
            return None
        self._lens_ns = captured_ns
        return lens_facts(grey)


def _are_same(one: Grey, other: Grey) -> bool:
    # One row tells nearly all of them apart, in a tenth of the time.
    return np.array_equal(one[:1], other[:1]) and np.array_equal(one, other)
