"""What of a model's detections the tracker is shown: wanted labels, sizes that can be, and no ignored areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import areas
from edge.core.values import Detections, FrameFacts
from edge.track.areas import Anchor, Area, Point, anchors_of, in_any
from edge.track.wanted import Wanted


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """The least and the greatest area of a box, as parts of the picture."""

    least: float = 0.0
    most: float = 1.0


class Attention:
    """Drops what a camera's configuration does not want looked at.

    Parameters
    ----------
    wanted : labels and scores
    labels : the model's, by class id
    sizes : label -> limits; "default" stands for all other labels
    ignored : polygons, as parts of the picture; what stands in one is not there
    anchor : which point of a box says where a thing stands
    """

    def __init__(
        self,
        wanted: Wanted,
        labels: Sequence[str],
        *,
        sizes: Mapping[str, SizeLimits] | None = None,
        ignored: Iterable[Sequence[Point]] = (),
        anchor: Anchor = "bottom",
    ) -> None:
        self._wanted = wanted
        self._anchor: Anchor = anchor
        self._ignored = tuple(Area(corners) for corners in ignored)
        sizes = sizes or {}
        rest = sizes.get("default", SizeLimits())
        limits = [sizes.get(label, rest) for label in labels] + [rest]
        self._limits = np.array([(each.least, each.most) for each in limits], np.float64) if sizes else None

    def select(self, detections: Detections, frame: FrameFacts) -> Detections:
        """What the tracker is shown of a frame's detections."""
        wanted = self._wanted.select(detections)
        if not len(wanted) or (self._limits is None and not self._ignored):
            return wanted
        size = (frame.width, frame.height)
        kept = ~in_any(self._ignored, anchors_of(wanted.boxes, self._anchor, size))
        if self._limits is not None:
            kept &= self._fits(wanted, self._limits, size)
        return wanted.select(kept)

    def confident(self, detections: Detections) -> Detections:
        """What a person asked to see of what was selected."""
        return self._wanted.confident(detections)

    def _fits(self, wanted: Detections, limits: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
        least, most = limits.take(wanted.class_ids, axis=0, mode="clip").T
        parts = areas(wanted.boxes).astype(np.float64) / (size[0] * size[1])
        fits: NDArray[np.bool_] = (parts >= least) & (parts <= most)
        return fits
