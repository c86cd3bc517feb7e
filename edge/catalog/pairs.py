"""Recognises heads with boxes and scores as two outputs, at one candidate per grid cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.catalog.evidence import Evidence, OutputView, Recognition
from edge.catalog.grid import cell_centres, follows, strides_of
from edge.catalog.scores import check_class_scores, score_kind, units_of_centres
from edge.core.errors import ModelError
from edge.core.model import Family

DFL_WIDTH = 64  # 4 sides x 16 bins (reg_max 16), the only form that exporters write
# Decoded boxes in 0..1 need no more than this; distances in strides reach the size of the largest object.
_NORMALISED_LIMIT = 1.6
# Distances in stride units: beyond 64 strides of 8 an object would be 512 pixels to one side of its smallest cell.
_DISTANCE_LIMIT = 64.0


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A box output and a score output over the same candidates."""

    boxes: OutputView
    scores: OutputView
    candidates: int
    classes: int
    transposed: bool

    def box_table(self) -> NDArray[np.float32] | None:
        """(candidates, channels) of the boxes, real numbers."""
        plane = self.boxes.plane
        return self.boxes.table(transposed=plane is not None and plane[0] == self.candidates)

    def score_table(self) -> NDArray[np.float32] | None:
        return self.scores.table(transposed=self.transposed)


def find_pair(evidence: Evidence, *, width: int, among: tuple[OutputView, ...] | None = None) -> Pair | None:
    """Two of the outputs (``among``; else of all) that share their candidates, one of them ``width`` channels wide.

    Where both are that wide (as many classes as channels), the run's numbers and the graph decide.
    """
    views = evidence.outputs if among is None else among
    pairs = [
        pair
        for boxes in views
        for scores in views
        if boxes is not scores and (pair := _as_pair(boxes, scores, width)) is not None
    ]
    if len(pairs) <= 1:
        return pairs[0] if pairs else None
    return max(pairs, key=lambda pair: _looks_like_scores(evidence, pair.scores))


def _as_pair(boxes: OutputView, scores: OutputView, width: int) -> Pair | None:
    if boxes.plane is None or scores.plane is None:
        return None
    for candidates, channels in (boxes.plane, boxes.plane[::-1]):
        if channels != width or candidates not in scores.plane or candidates <= width:
            continue
        transposed = scores.plane[0] == candidates
        classes = scores.plane[1] if transposed else scores.plane[0]
        return Pair(boxes, scores, candidates, classes, transposed)
    return None


def _looks_like_scores(evidence: Evidence, view: OutputView) -> float:
    """Higher = more likely class scores: squashed in the graph, named so, or saying "no" nearly everywhere."""
    points = 2.0 if evidence.graph.sources(view.tensor.index) & {"LOGISTIC", "SOFTMAX"} else 0.0
    name = view.tensor.name.lower()
    points += 1.0 if any(word in name for word in ("score", "class", "cls", "logit")) else 0.0
    points -= 1.0 if "box" in name else 0.0
    real = view.real
    if real is not None and real.size:
        points -= float(np.tanh(np.median(real)))
    return points


def recognise_dfl(evidence: Evidence) -> Recognition | None:
    """Class scores and 64-wide box distributions, either axis first."""
    pair = find_pair(evidence, width=DFL_WIDTH)
    strides = strides_of(pair.candidates, evidence.width, evidence.height) if pair else None
    if pair is None or strides is None:
        return None
    kind = score_kind(evidence, pair.scores, pair.score_table())
    return Recognition(
        family=Family.YOLO_DFL,
        outputs={"boxes": pair.boxes.position, "scores": pair.scores.position},
        classes=pair.classes,
        score_kind=kind,
        transposed=pair.transposed,
        strides=strides,
    )


def recognise_grid_pair(evidence: Evidence) -> Recognition | None:
    """Four box numbers and class scores per cell: distances to the sides (our own), or YOLO's decoded boxes."""
    pair = find_pair(evidence, width=4)
    strides = strides_of(pair.candidates, evidence.width, evidence.height) if pair else None
    if pair is None or strides is None or len(evidence.outputs) > 2:
        return None
    table = pair.score_table()
    check_class_scores(table, first=0)
    family = evidence.hint if evidence.hint in {Family.LTRB, Family.YOLOV8} else _grid_family(evidence, pair, strides)
    boxes = pair.box_table()
    return Recognition(
        family=family,
        outputs={"boxes": pair.boxes.position, "scores": pair.scores.position},
        classes=pair.classes,
        box_units=units_of_centres(None if boxes is None else boxes[:, :2], pair.boxes)
        if family is Family.YOLOV8
        else "normalised",
        score_kind=score_kind(evidence, pair.scores, table),
        transposed=pair.transposed,
        strides=strides,
    )


def _grid_family(evidence: Evidence, pair: Pair, strides: tuple[int, ...]) -> Family:
    """Decoded centres follow the cell's place on the picture, distances to the sides do not."""
    if evidence.metadata.is_ultralytics:
        return Family.YOLOV8
    boxes, limits = pair.box_table(), pair.boxes.limits
    if boxes is not None:
        centres = cell_centres(evidence.width, evidence.height, strides)
        follow = [follows(boxes[:, i], centres[:, i % 2]) for i in range(4)]
        if all(follow):
            raise ModelError(
                "the boxes come out decoded as two corners (x1, y1, x2, y2), a form that no decoder here reads. "
                "Export boxes as centre and size, or with the decoding left out"
            )
        if follow[0] and follow[1]:
            return Family.YOLOV8
    if limits is not None and (limits[1] <= _NORMALISED_LIMIT or limits[1] > _DISTANCE_LIMIT):
        return Family.YOLOV8
    if boxes is None and limits is None:
        raise ModelError("distances and decoded boxes cannot be told apart without a run; name it with --family")
    return Family.LTRB
