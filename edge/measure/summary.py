"""The figures of an evaluation as they are told: ``edge eval --json``, the report, the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from edge.core.model import Model
from edge.measure.evaluation import Evaluation
from edge.measure.mistakes import Tally

_DIGITS = 4  # one box more or less in a set of a hundred pictures moves the third


class ClassFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One label's. precision and recall are at the working threshold, IoU 0.5."""

    ap: float
    ap50: float
    objects: int
    precision: float | None
    recall: float | None


class SliceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One size of object's; null where the set has none of it."""

    map: float | None
    ap50: float | None
    objects: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures were made with.

    threshold : detections below it were not looked at
    nms_iou : null where the model does its own NMS
    working_threshold : where precision, recall and the drawn mistakes are taken
    boxes : raw = an SSD read before the post-processing in its graph
    tiles : columns x rows of parts that were looked at besides the whole picture; 1x1 = none
    """

    threshold: float
    nms_iou: float | None
    max_boxes: int
    working_threshold: float
    boxes: Literal["graph", "raw"] = "graph"
    tiles: str = "1x1"


class LeftOutPicture(msgspec.Struct, frozen=True):
    file: str
    reason: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The object that ``edge eval --json`` prints; ``model`` to ``per_class`` are the contract, the rest may grow."""

    model: str
    images: int
    map: float | None
    ap50: float | None
    per_class: dict[str, ClassFigures]
    ap75: float | None
    slices: dict[str, SliceFigures]
    seconds: float
    settings: Settings
    sha256: str
    unscored_labels: list[str]
    unknown_categories: list[str]
    left_out: list[LeftOutPicture]


def summarise(evaluation: Evaluation, model: Model, settings: Settings, tallies: Sequence[Tally]) -> Summary:
    """Round and name the figures."""
    scores = evaluation.scores
    counts = {tally.label: tally for tally in tallies}
    return Summary(
        model=model.name,
        images=len(evaluation.truth.pictures),
        map=rounded(scores.map),
        ap50=rounded(scores.ap50),
        ap75=rounded(scores.ap75),
        per_class={
            row.label: ClassFigures(
                ap=round(row.ap, _DIGITS),
                ap50=round(row.ap50, _DIGITS),
                objects=row.objects,
                precision=rounded(counts[row.label].precision),
                recall=rounded(counts[row.label].recall),
            )
            for row in scores.per_class
        },
        slices={
            one.name: SliceFigures(map=rounded(one.map), ap50=rounded(one.ap50), objects=one.objects)
            for one in scores.slices
        },
        seconds=round(evaluation.seconds, 3),
        settings=settings,
        sha256=model.sha256,
        unscored_labels=list(evaluation.classes.unscored_labels),
        unknown_categories=list(evaluation.classes.unknown_categories),
        left_out=[LeftOutPicture(one.file_name, one.reason) for one in evaluation.left_out],
    )


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
