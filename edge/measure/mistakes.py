"""Where a model is wrong at the threshold it works with: what it invented, and what it missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import areas, pairwise_iou
from edge.core.values import Detections
from edge.measure.annotations import Annotations, TrueBox
from edge.measure.classes import ScoredClass

MATCH_IOU = 0.5  # PASCAL VOC's and COCO's AP50 count a box as right from here
_CROWD_COVER = 0.5  # a detection with more than this much of itself inside a crowd is not false (COCO)

Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """Boxes of one label in one picture, (n, 4) source-frame pixels, with their scores (NaN for labelled ones)."""

    label: str
    boxes: Boxes
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PictureMistakes:
    """One picture's. right : detections that match a labelled box, by label."""

    picture: int
    right: dict[str, int]
    false: tuple[Marked, ...]
    missed: tuple[Marked, ...]

    @property
    def count(self) -> int:
        return sum(len(marked.boxes) for marked in self.false + self.missed)


@dataclass(frozen=True, slots=True)
class Tally:
    """One label's counts over the set at the threshold."""

    label: str
    right: int
    false: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Of what was reported, the share that is there; None where nothing was reported."""
        reported = self.right + self.false
        return self.right / reported if reported else None

    @property
    def recall(self) -> float | None:
        """Of what is there, the share that was reported; None where nothing is there."""
        present = self.right + self.missed
        return self.right / present if present else None


def find_mistakes(
    truth: Annotations, classes: Sequence[ScoredClass], found: Sequence[Detections], *, threshold: float
) -> tuple[PictureMistakes, ...]:
    """Compare each picture's detections with its labelled boxes, label by label, best score first."""
    by_picture: list[list[TrueBox]] = [[] for _ in truth.pictures]
    for box in truth.boxes:
        by_picture[box.picture].append(box)
    return tuple(
        _compare(index, classes, boxes, detections.select(detections.scores >= threshold))
        for index, (boxes, detections) in enumerate(zip(by_picture, found, strict=True))
    )


def tally(classes: Sequence[ScoredClass], mistakes: Sequence[PictureMistakes]) -> tuple[Tally, ...]:
    """The counts per label, in the classes' order."""
    return tuple(
        Tally(
            entry.label,
            right=sum(one.right.get(entry.label, 0) for one in mistakes),
            false=sum(len(marked.boxes) for one in mistakes for marked in one.false if marked.label == entry.label),
            missed=sum(len(marked.boxes) for one in mistakes for marked in one.missed if marked.label == entry.label),
        )
        for entry in classes
    )


def _compare(
    picture: int, classes: Sequence[ScoredClass], boxes: Sequence[TrueBox], detections: Detections
) -> PictureMistakes:
    right, false, missed = {}, [], []
    for entry in classes:
        own = detections.select(np.isin(detections.class_ids, entry.class_ids))
        there = _corners([box for box in boxes if box.category in entry.categories and not box.crowd])
        crowds = _corners([box for box in boxes if box.category in entry.categories and box.crowd])
        partner = _match(own.boxes, there)
        is_false = (partner < 0) & ~_is_in_crowd(own.boxes, crowds)
        is_missed = ~np.isin(np.arange(len(there)), partner)
        right[entry.label] = int((partner >= 0).sum())
        if is_false.any():
            false.append(Marked(entry.label, own.boxes[is_false], own.scores[is_false]))
        if is_missed.any():
            missed.append(Marked(entry.label, there[is_missed], np.full(int(is_missed.sum()), np.nan, np.float32)))
    return PictureMistakes(picture, right, tuple(false), tuple(missed))


def _match(found: Boxes, there: Boxes) -> NDArray[np.int64]:
    """For each detection, best first, the free labelled box it overlaps most, from MATCH_IOU on; else -1."""
    partner = np.full(len(found), -1, np.int64)
    if not len(there):
        return partner
    overlaps = pairwise_iou(found, there)
    for row in range(len(found)):
        best = int(overlaps[row].argmax())
        if overlaps[row, best] >= MATCH_IOU:
            partner[row] = best
            overlaps[:, best] = -1.0
    return partner


def _is_in_crowd(found: Boxes, crowds: Boxes) -> NDArray[np.bool_]:
    """COCO's crowd rule: what counts is the share of the detection that lies inside."""
    inside = np.zeros(len(found), bool)
    for crowd in crowds:
        top_left = np.maximum(found[:, :2], crowd[:2])
        bottom_right = np.minimum(found[:, 2:], crowd[2:])
        shared = areas(np.concatenate([top_left, bottom_right], axis=1).astype(np.float32))
        inside |= shared >= _CROWD_COVER * areas(found)
    return inside


def _corners(boxes: Sequence[TrueBox]) -> Boxes:
    return np.asarray([(box.x1, box.y1, box.x2, box.y2) for box in boxes], np.float32).reshape(-1, 4)
