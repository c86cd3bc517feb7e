"""Regions of a frame that are worth a look of their own: where something moves, or was found and stands still now.

The whole picture makes a person at the other end of a yard three pixels wide. A region as large as the model's input
shows him as the camera does, for one more run of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import pairwise_iou
from edge.core.model import Model
from edge.core.values import Detections, Frame
from edge.infer.parts import Part

# A thing is shown with so much around it: models find what has surroundings, and motion shows rarely all of a thing.
_MARGIN = 1.5
# A region that shows things no larger than this, compared with the whole picture, is not worth a run.
_LEAST_GAIN = 1.33
# From this score on a thing that the whole picture shows needs no closer look.
_SURE = 0.5
# A thing that stands still is looked for so many times in vain before its place is forgotten.
_PATIENCE = 5
_MOST_REMEMBERED = 16
_SAME_IOU = 0.3


class Box(NamedTuple):
    """In the frame's pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def joined(self, other: Box) -> Box:
        """Around both."""
        return Box(*(map(min, self[:2], other[:2])), *(map(max, self[2:], other[2:])))

    def holds_centre_of(self, other: Box) -> bool:
        across, down = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        return self.left <= across <= self.right and self.top <= down <= self.bottom


@dataclass(slots=True)
class _Known:
    """A thing that a region showed and the whole picture did not; missed : looks in vain since."""

    box: Box
    missed: int = 0


class Regions:
    """One camera's. The same frames in the same order have the same regions.

    Parameters
    ----------
    most : regions of a frame, each a run of the model; where there are more places than that, they take turns
    """

    def __init__(self, model: Model, most: int) -> None:
        layout = model.layout.input
        self._input = layout.width, layout.height
        self._sure = max(_SURE, model.threshold)
        self._threshold = model.threshold
        self._most = most
        self._turn = 0
        self._known: list[_Known] = []
        self._sure_boxes: list[Box] = []
        self._chosen: list[Part] = []
        self._size = (0, 0)

    def choose(self, frame: Frame, found: Detections) -> list[Part]:
        """Around what moves, and around what stands where it was found, unless the whole picture shows it surely."""
        self._forget_another_size((frame.width, frame.height))
        self._sure_boxes = _boxes(found.select(found.scores >= self._sure))
        self._chosen = [] if frame.is_blank else self._take_turns(self._gather(self._places(frame)))
        return self._chosen

    def learn(self, found: Detections) -> None:
        """Remember what is there, and forget what was looked for in vain."""
        here = found.select(found.scores >= self._threshold)
        boxes = _boxes(here)
        matched = _best_matches([known.box for known in self._known], here.boxes)
        for known, match in zip(self._known, matched, strict=True):
            if match is not None:
                known.box, known.missed = boxes[match], 0
            elif any(
                Box(part.left, part.top, part.right, part.bottom).holds_centre_of(known.box) for part in self._chosen
            ):
                known.missed += 1
        fresh = [_Known(box) for place, box in enumerate(boxes) if place not in matched]
        kept = [known for known in self._known if known.missed <= _PATIENCE]
        self._known = [known for known in (*kept, *fresh) if self._scale_for(known.box) is not None][:_MOST_REMEMBERED]

    def _places(self, frame: Frame) -> list[Box]:
        width, height = self._size
        moving = [Box(a * width, b * height, c * width, d * height) for a, b, c, d in frame.moving]
        places = [*(known.box for known in self._known), *moving]
        return [place for place in places if not any(box.holds_centre_of(place) for box in self._sure_boxes)]

    def _gather(self, places: list[Box]) -> list[Box]:
        """What fits together into one region, together."""
        groups: list[Box] = []
        for place in places:
            scale = self._scale_for(place)
            if scale is None:
                continue
            for number, group in enumerate(groups):
                joined = group.joined(place)
                if self._scale_for(joined) == self._scale_for(group):
                    groups[number] = joined
                    break
            else:
                groups.append(place)
        return groups

    def _take_turns(self, groups: list[Box]) -> list[Part]:
        if len(groups) > self._most:
            begin = self._turn % len(groups)
            self._turn += self._most
            groups = [*groups[begin:], *groups[:begin]][: self._most]
        return [self._around(group) for group in groups]

    def _scale_for(self, box: Box) -> float | None:
        """The frame's pixels that become one of the model's, 1 or more; None = the whole picture does as well."""
        scale = max(
            1.0,
            _MARGIN * (box.right - box.left) / self._input[0],
            _MARGIN * (box.bottom - box.top) / self._input[1],
        )
        whole = max(self._size[0] / self._input[0], self._size[1] / self._input[1])
        return scale if scale * _LEAST_GAIN <= whole else None

    def _around(self, box: Box) -> Part:
        scale = self._scale_for(box) or 1.0
        left, right = _span((box.left + box.right) / 2, self._input[0] * scale, self._size[0])
        top, bottom = _span((box.top + box.bottom) / 2, self._input[1] * scale, self._size[1])
        return Part(left, top, right, bottom)

    def _forget_another_size(self, size: tuple[int, int]) -> None:
        if size != self._size:
            self._size, self._known, self._turn = size, [], 0


def _boxes(found: Detections) -> list[Box]:
    return [Box(*map(float, box)) for box in found.boxes]


def _best_matches(known: list[Box], boxes: NDArray[np.float32]) -> list[int | None]:
    """Of each known thing, which box it is now; no box twice."""
    if not known or not len(boxes):
        return [None] * len(known)
    overlaps = pairwise_iou(np.asarray(known, np.float32), boxes)
    matches: list[int | None] = []
    for row in overlaps:
        best = int(row.argmax())
        matches.append(best if row[best] >= _SAME_IOU else None)
        if row[best] >= _SAME_IOU:
            overlaps[:, best] = 0.0
    return matches


def _span(centre: float, length: float, limit: int) -> tuple[int, int]:
    """Begin and end of a length around a centre, within 0 and limit."""
    whole = min(limit, round(length))
    begin = min(max(0, round(centre - whole / 2)), limit - whole)
    return begin, begin + whole
