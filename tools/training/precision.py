"""Average precision and its uncertainty, as COCO counts; no library, so that it runs on a bare GPU machine.

The figures that are published come from ``edge eval`` (pycocotools); these agree with it and can be resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.training.dataset import Sample

IOUS = np.arange(0.5, 1.0, 0.05)
_RECALLS = np.linspace(0, 1, 101)
# COCO's sizes, square pixels of the picture.
AREAS = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
ALL_AREAS = (0.0, 1e10)
Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was seen in one picture, best first: boxes (m, 4) in its pixels, scores (m,), classes (m,)."""

    boxes: Boxes
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """One picture, one class: of each found box its score, and per IoU limit whether it is right, and counts at all.

    objects : to be found in the picture
    """

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    objects: int


@dataclass(frozen=True, slots=True)
class Precision:
    """ap: mean over IoU 0.5 to 0.95; ap50: at 0.5. None without an object to find."""

    ap: float | None
    ap50: float | None


@dataclass(frozen=True, slots=True)
class Count:
    """At one threshold, IoU 0.5: boxes that are right and wrong, objects there were."""

    right: int
    wrong: int
    objects: int

    @property
    def precision(self) -> float | None:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        return self.right / self.objects if self.objects else None


def match_all(
    samples: Sequence[Sample],
    found: Sequence[Found],
    *,
    class_id: int,
    area: tuple[float, float] = ALL_AREAS,
) -> list[Matches]:
    """Each picture's boxes against its objects. Objects and boxes of other areas count neither for nor against."""
    return [_match_picture(sample, seen, class_id, area) for sample, seen in zip(samples, found, strict=True)]


def _match_picture(sample: Sample, seen: Found, class_id: int, area: tuple[float, float]) -> Matches:
    mine, theirs = seen.classes == class_id, sample.classes == class_id
    truth, crowd = sample.boxes[theirs], sample.ignored[theirs]
    outside = ~crowd & ~_is_within(truth, area)
    boxes = seen.boxes[mine]
    right, counted = _match(boxes, truth, crowd=crowd, outside=outside)
    counted &= right | _is_within(boxes, area)
    return Matches(seen.scores[mine], right, counted, int((~crowd & ~outside).sum()))


def _is_within(boxes: Boxes, area: tuple[float, float]) -> NDArray[np.bool_]:
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return np.asarray((sizes >= area[0]) & (sizes < area[1]), np.bool_)


def _match(
    found: Boxes, truth: Boxes, *, crowd: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Per IoU limit and found box, best first: (is right, counts at all)."""
    right, counted = np.zeros((len(IOUS), len(found)), np.bool_), np.ones((len(IOUS), len(found)), np.bool_)
    if not len(truth) or not len(found):
        return right, counted
    table = overlap_table(found, truth)
    swallowed = inside_table(found, truth[crowd]).max(1, initial=0.0)  # any number of boxes fits into a crowd
    for at, limit in enumerate(IOUS):
        free = ~crowd & ~outside
        spare = outside.copy()
        for i in range(len(found)):
            fits, lesser = np.where(free, table[i], 0.0), np.where(spare, table[i], 0.0)
            if fits.max() >= limit:
                right[at, i], free[int(fits.argmax())] = True, False
            elif lesser.max() >= limit:
                counted[at, i], spare[int(lesser.argmax())] = False, False
            elif swallowed[i] >= limit:
                counted[at, i] = False
    return right, counted


def precision_of(matches: Sequence[Matches]) -> Precision:
    """Of one class over a set of pictures."""
    objects = sum(one.objects for one in matches)
    if not objects:
        return Precision(None, None)
    order = np.argsort(-np.concatenate([one.scores for one in matches]), kind="stable")
    right = np.concatenate([one.right for one in matches], 1)[:, order]
    counted = np.concatenate([one.counted for one in matches], 1)[:, order]
    per_iou = [_area_under(row[mask], objects) for row, mask in zip(right, counted, strict=True)]
    return Precision(float(np.mean(per_iou)), per_iou[0])


def average_precision(samples: Sequence[Sample], found: Sequence[Found], *, class_id: int) -> Precision:
    return precision_of(match_all(samples, found, class_id=class_id))


def _area_under(right: NDArray[np.bool_], objects: int) -> float:
    """Precision at 101 recalls, each the best at that recall or beyond."""
    hits = np.cumsum(right)
    if not len(hits):
        return 0.0
    precision = hits / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(hits / objects, _RECALLS, side="left")
    return float(np.where(place < len(best), best[np.minimum(place, len(best) - 1)], 0.0).mean())


def count_at(matches: Sequence[Matches], threshold: float) -> Count:
    above = [(one.scores >= threshold) & one.counted[0] for one in matches]
    right = sum(int((one.right[0] & mask).sum()) for one, mask in zip(matches, above, strict=True))
    wrong = sum(int((~one.right[0] & mask).sum()) for one, mask in zip(matches, above, strict=True))
    return Count(right, wrong, sum(one.objects for one in matches))


def threshold_for_recall(matches: Sequence[Matches], recall: float) -> float | None:
    """The highest threshold that reaches this recall; None if nothing does."""
    hits = np.sort(np.concatenate([one.scores[one.right[0] & one.counted[0]] for one in matches]))[::-1]
    needed = int(np.ceil(recall * sum(one.objects for one in matches) - 1e-9))
    if needed <= 0:
        return 1.0
    return float(hits[needed - 1]) if needed <= len(hits) else None


def interval(matches: Sequence[Matches], *, rounds: int = 500, seed: int = 0) -> tuple[float, float] | None:
    """95 % bootstrap interval of AP50: pictures drawn with replacement (Efron's percentiles)."""
    rng = np.random.default_rng(seed)
    drawn = ([matches[i] for i in rng.integers(len(matches), size=len(matches))] for _ in range(rounds))
    values = [value for one in drawn if (value := ap50_of(one)) is not None]
    return (float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5))) if values else None


def ap50_of(matches: Sequence[Matches]) -> float | None:
    objects = sum(one.objects for one in matches)
    if not objects:
        return None
    order = np.argsort(-np.concatenate([one.scores for one in matches]), kind="stable")
    right = np.concatenate([one.right[0] for one in matches])[order]
    return _area_under(right[np.concatenate([one.counted[0] for one in matches])[order]], objects)


def overlap_table(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """(len(a), len(b)) intersection over union."""
    common = _common(a, b)
    sizes = (a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None]
    return np.asarray(common / (sizes - common + 1e-9), np.float32)


def inside_table(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """(len(a), len(b)): the part of each a that lies in each b (how COCO treats crowds)."""
    return np.asarray(_common(a, b) / ((a[:, 2:] - a[:, :2]).prod(1)[:, None] + 1e-9), np.float32)


def _common(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray((high - low).clip(0).prod(-1), np.float32)
