"""COCO's average precision, by COCO's own code (pycocotools); the only file that knows it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import MissingLibraryError
from edge.core.values import Detections
from edge.measure.annotations import Annotations
from edge.measure.classes import ScoredClass

# At most this many detections per picture and class count: COCO's main figure.
_MAX_DETECTIONS = 100
_IOU_50, _IOU_75 = 0, 5  # places of 0.5 and 0.75 in COCO's 0.5, 0.55, ..., 0.95

Precision = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Average precision of one label: over IoU 0.5 to 0.95, and at 0.5.

    objects : labelled boxes it was measured on, without crowds
    """

    label: str
    ap: float
    ap50: float
    objects: int


@dataclass(frozen=True, slots=True)
class SliceScore:
    """The mean over the labels for objects of one size; None where the set has no such object.

    name : small (area up to 32 x 32 square pixels), medium (up to 96 x 96) or large
    """

    name: str
    map: float | None
    ap50: float | None
    objects: int


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of one evaluation.

    map, ap50, ap75 : the mean over ``per_class``; None where the set has no object of any label
    per_class : the labels that have objects in the set; the others can't be measured
    """

    map: float | None
    ap50: float | None
    ap75: float | None
    per_class: tuple[ClassScore, ...]
    slices: tuple[SliceScore, ...]


def require_pycocotools() -> None:
    """Say so before the long work begins, not after it."""
    try:
        with _quiet():
            import pycocotools.cocoeval  # noqa: F401
    except (ImportError, ValueError) as error:  # ValueError: built for another numpy
        raise MissingLibraryError(
            f"measuring needs the library pycocotools, which does not load here ({error}). "
            "Install it: pip install 'edge-detector[eval]'"
        ) from error


def score(truth: Annotations, classes: Sequence[ScoredClass], found: Sequence[Detections]) -> Scores:
    """Average precision of detections against the labelled boxes.

    Parameters
    ----------
    classes : what is scored; categories and class ids outside them count neither for nor against
    found : one entry per picture of ``truth``, in its order; source-frame pixels

    Notes
    -----
    The mean is over the labels that have an object in the set. Where a label stands for several categories their
    boxes are one class. Crowds are matched as COCO does: detections inside one are not false.
    Source: Lin et al., "Microsoft COCO: Common Objects in Context"; cocodataset.org/#detection-eval.
    """
    require_pycocotools()
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    images = [{"id": index + 1} for index in range(len(truth.pictures))]
    categories = [{"id": index + 1, "name": entry.label} for index, entry in enumerate(classes)]
    with _quiet():
        sides = []
        for entries in (_true_entries(truth, classes), _found_entries(classes, found)):
            side = COCO()
            side.dataset = {"images": images, "categories": categories, "annotations": entries}
            side.createIndex()
            sides.append(side)
        evaluation = COCOeval(*sides, iouType="bbox")
        evaluation.params.maxDets = [_MAX_DETECTIONS]
        evaluation.evaluate()
        evaluation.accumulate()
    precision: Precision = evaluation.eval["precision"][..., 0]  # iou, recall, class, size
    return _read(precision, evaluation.params, _count_objects(evaluation, len(classes)), classes)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """pycocotools prints its progress; standard output is ours (``--json``)."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _true_entries(truth: Annotations, classes: Sequence[ScoredClass]) -> list[dict[str, Any]]:
    """Ids count from 1: pycocotools takes the id 0 for "no match"."""
    rows: dict[str, list[int]] = {}
    for row, entry in enumerate(classes):
        for category in entry.categories:
            rows.setdefault(category, []).append(row)
    boxes = [(box, row) for box in truth.boxes for row in rows.get(box.category, ())]
    return [
        {
            "id": number,
            "image_id": box.picture + 1,
            "category_id": row + 1,
            "bbox": [box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1],
            "area": box.area,
            "iscrowd": int(box.crowd),
        }
        for number, (box, row) in enumerate(boxes, start=1)
    ]


def _found_entries(classes: Sequence[ScoredClass], found: Sequence[Detections]) -> list[dict[str, Any]]:
    rows = {class_id: row for row, entry in enumerate(classes) for class_id in entry.class_ids}
    entries: list[dict[str, Any]] = []
    for image, detections in enumerate(found, start=1):
        for box, value, class_id in zip(
            detections.boxes.tolist(), detections.scores.tolist(), detections.class_ids.tolist(), strict=True
        ):
            if class_id not in rows:
                continue
            x1, y1, x2, y2 = box
            entries.append(
                {
                    "id": len(entries) + 1,
                    "image_id": image,
                    "category_id": rows[class_id] + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "score": value,
                    "iscrowd": 0,
                }
            )
    return entries


def _count_objects(evaluation: Any, classes: int) -> NDArray[np.int64]:
    """(classes, sizes): labelled boxes that count, as pycocotools saw them."""
    params = evaluation.params
    shape = (classes, len(params.areaRng), len(params.imgIds))
    counts = [0 if one is None else int(np.sum(one["gtIgnore"] == 0)) for one in evaluation.evalImgs]
    return np.asarray(np.asarray(counts).reshape(shape).sum(axis=2), np.int64)


def _read(precision: Precision, params: Any, objects: NDArray[np.int64], classes: Sequence[ScoredClass]) -> Scores:
    per_class = tuple(
        ClassScore(
            entry.label,
            ap=float(precision[:, :, row, 0].mean()),
            ap50=float(precision[_IOU_50, :, row, 0].mean()),
            objects=int(objects[row, 0]),
        )
        for row, entry in enumerate(classes)
        if objects[row, 0]
    )
    slices = tuple(
        SliceScore(
            name,
            map=_mean(precision[:, :, :, size]),
            ap50=_mean(precision[_IOU_50, :, :, size]),
            objects=int(objects[:, size].sum()),
        )
        for size, name in enumerate(params.areaRngLbl)
        if size
    )
    whole = precision[:, :, :, 0]
    return Scores(_mean(whole), _mean(whole[_IOU_50]), _mean(whole[_IOU_75]), per_class, slices)


def _mean(precision: Precision) -> float | None:
    """pycocotools marks what has no object with -1."""
    valid = precision[precision > -1]
    return float(valid.mean()) if valid.size else None
