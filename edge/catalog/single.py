"""Recognises heads that put all into one output: YOLOv5, YOLOv8 and kin, YOLOX, end-to-end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.catalog.evidence import Evidence, OutputView, Recognition
from edge.catalog.grid import anchor_strides_of, cell_centres, cell_counts, follows, strides_of
from edge.catalog.scores import check_class_scores, score_kind, units_of_centres
from edge.core.errors import ModelError
from edge.core.model import Family

_BOX = 4  # channels of a box; YOLOv5 and YOLOX have objectness behind it
_COCO = 80
_END2END_WIDTH = 6
_END2END_MOST = 1000  # rows: exporters write 100 or 300
# Raw YOLOX centres are offsets of a few cells at most; decoded ones reach the picture's far side.
_RAW_OFFSET_LIMIT = 16.0
_BYTES_FROM = 8.0  # a range that reaches beyond is for bytes, no normalised picture


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read the shape."""

    family: Family
    classes: int
    transposed: bool
    strides: tuple[int, ...]

    @property
    def first_class(self) -> int:
        return _BOX if self.family is Family.YOLOV8 else _BOX + 1


def recognise_single(evidence: Evidence) -> Recognition | None:
    """One table of candidates and channels."""
    if len(evidence.outputs) != 1 or evidence.outputs[0].plane is None:
        return None
    view = evidence.outputs[0]
    if _is_finished(evidence, view):
        return _end2end(evidence, view)
    readings = _readings(view.plane or (0, 0), evidence.width, evidence.height)
    if evidence.hint is not None:
        readings = [reading for reading in readings if reading.family is evidence.hint]
    if readings:
        return _recognition(evidence, view, _choose(evidence, view, readings))
    return _end2end(evidence, view)


def _readings(plane: tuple[int, int], width: int, height: int) -> list[_Reading]:
    """All families whose shape fits, by the stride grid of this input."""
    found = []
    for transposed, (candidates, channels) in ((True, plane), (False, plane[::-1])):
        cells = strides_of(candidates, width, height)
        if cells is not None and channels > _BOX:
            found.append(_Reading(Family.YOLOV8, channels - _BOX, transposed, cells))
        if cells is not None and channels > _BOX + 1 and transposed:
            found.append(_Reading(Family.YOLOX, channels - _BOX - 1, transposed, cells))
        anchored = anchor_strides_of(candidates, width, height)
        if anchored is not None and channels > _BOX + 1:
            found.append(_Reading(Family.YOLOV5, channels - _BOX - 1, transposed, anchored))
    return found


def _choose(evidence: Evidence, view: OutputView, readings: list[_Reading]) -> _Reading:
    """The one reading that the evidence supports; labels first, then metadata, operators, and the numbers."""
    for narrow in (_by_axes, _by_labels, _by_metadata, _by_operators, _by_input, _by_coco, _by_numbers):
        if len(readings) == 1:
            break
        readings = narrow(evidence, view, readings) or readings
    if len(readings) > 1:
        ways = " or ".join(f"{reading.family} with {reading.classes} classes" for reading in readings)
        raise ModelError(
            f"the output {list(view.shape)} can be {ways}, and nothing in the file decides. "
            "Name the family with --family, or give the labels with --labels FILE"
        )
    return readings[0]


def _by_axes(evidence: Evidence, view: OutputView, readings: list[_Reading]) -> list[_Reading]:
    """As many channels as candidates: the axis order in which the centres follow the grid."""
    if len({reading.transposed for reading in readings}) == 1:
        return readings
    following = [r for r in readings if _follows(evidence, view, r)]
    # Raw YOLOX follows nothing and is never written channels first.
    return following or [reading for reading in readings if reading.transposed]


def _follows(evidence: Evidence, view: OutputView, reading: _Reading) -> bool:
    table = view.table(transposed=reading.transposed)
    each = len(table) // sum(cell_counts(evidence.width, evidence.height, reading.strides)) if table is not None else 0
    return table is not None and each == 1 and _centres_follow(evidence, table, reading.strides)


def _by_labels(evidence: Evidence, view: OutputView, readings: list[_Reading]) -> list[_Reading]:  # noqa: ARG001
    return [reading for reading in readings if reading.classes == evidence.label_count]


def _by_metadata(evidence: Evidence, view: OutputView, readings: list[_Reading]) -> list[_Reading]:  # noqa: ARG001
    wanted = Family.YOLOV8 if evidence.metadata.is_ultralytics else None
    return [reading for reading in readings if reading.family is wanted]


def _by_operators(evidence: Evidence, view: OutputView, readings: list[_Reading]) -> list[_Reading]:
    """YOLOX decodes sizes with EXP; YOLOv8 decodes distances with SOFTMAX over bins."""
    near = evidence.graph.names_behind(view.tensor.index)
    family = {(True, False): Family.YOLOX, (False, True): Family.YOLOV8}.get(("EXP" in near, "SOFTMAX" in near))
    return [reading for reading in readings if reading.family is family]


def _by_input(evidence: Evidence, view: OutputView, readings: list[_Reading]) -> list[_Reading]:  # noqa: ARG001
    """A quantised input for bytes is YOLOX's; Ultralytics' models take 0..1."""
    limits = evidence.model.tensors[evidence.model.inputs[0]].limits
    wanted = None if limits is None else Family.YOLOX if limits[1] > _BYTES_FROM else Family.YOLOV8
    return [reading for reading in readings if reading.family is wanted]


def _by_coco(evidence: Evidence, view: OutputView, readings: list[_Reading]) -> list[_Reading]:  # noqa: ARG001
    return [reading for reading in readings if reading.classes == _COCO]


def _by_numbers(evidence: Evidence, view: OutputView, readings: list[_Reading]) -> list[_Reading]:
    """Centres that do not follow the grid are raw YOLOX offsets: YOLOv8 always decodes. YOLOX never normalises."""
    table = view.table(transposed=readings[0].transposed)
    if table is None:
        return []
    if _centres_follow(evidence, table, readings[0].strides):
        is_normalised = units_of_centres(table[:, :2], view) == "normalised"
        return [reading for reading in readings if reading.family is Family.YOLOV8 and is_normalised]
    if float(np.ptp(table[:, :2])) == 0.0:
        return []
    return [reading for reading in readings if reading.family is Family.YOLOX]


def _centres_follow(evidence: Evidence, table: NDArray[np.float32], strides: tuple[int, ...]) -> bool:
    centres = cell_centres(evidence.width, evidence.height, strides)
    return follows(table[:, 0], centres[:, 0]) and follows(table[:, 1], centres[:, 1])


def _recognition(evidence: Evidence, view: OutputView, reading: _Reading) -> Recognition:
    table = view.table(transposed=reading.transposed)
    scores = None if table is None else table[:, reading.first_class :]
    grid = _yolox_grid(evidence, view, table, reading) if reading.family is Family.YOLOX else "decoded"
    cells = cell_centres(evidence.width, evidence.height, reading.strides)
    check_class_scores(scores, first=reading.first_class, centres=cells)
    centres = None if table is None else table[:, :2]
    return Recognition(
        family=reading.family,
        outputs={"output": view.position},
        classes=reading.classes,
        box_units="pixels" if grid == "raw" else units_of_centres(centres, view),
        score_kind=score_kind_of_columns(evidence, view, scores),
        grid=grid,
        transposed=reading.transposed,
        strides=reading.strides,
    )


def score_kind_of_columns(evidence: Evidence, view: OutputView, scores: NDArray[np.float32] | None) -> str:
    """The kind of the score columns of an output that holds boxes too: only their own numbers can tell."""
    if scores is not None and scores.size:
        return score_kind(evidence, view, scores)
    return "probability"


def _yolox_grid(evidence: Evidence, view: OutputView, table: NDArray[np.float32] | None, reading: _Reading) -> str:
    if table is not None and float(np.ptp(table[:, :2])) > 0.0:
        if _centres_follow(evidence, table, reading.strides):
            return "decoded"
        return "raw" if float(np.abs(table[:, :2]).max()) < _RAW_OFFSET_LIMIT else "decoded"
    return "decoded" if "EXP" in evidence.graph.names_behind(view.tensor.index) else "raw"


def _is_finished(evidence: Evidence, view: OutputView) -> bool:
    """Whether a table of six columns is boxes that are done, though that many cells would fit the input too."""
    if evidence.hint not in {None, Family.YOLO_END2END} or (view.plane or (0, 0))[1] != _END2END_WIDTH:
        return False
    table = view.table(transposed=True)
    if evidence.metadata.end2end or table is None:
        return evidence.metadata.end2end
    scores, classes = table[:, 4], table[:, 5]
    is_ranked = bool(np.all(np.diff(scores) <= 0)) and scores.min() >= 0 and scores.max() <= 1
    return is_ranked and bool(np.all(classes == np.rint(classes))) and bool((table[:, 2:4] >= table[:, :2]).all())


def _end2end(evidence: Evidence, view: OutputView) -> Recognition | None:
    """[1, n, 6]: x1, y1, x2, y2, score, class, suppression done or not needed."""
    rows, columns = view.plane or (0, 0)
    if columns != _END2END_WIDTH or not 0 < rows <= _END2END_MOST or evidence.hint not in {None, Family.YOLO_END2END}:
        return None
    if view.is_quantised:
        raise ModelError(
            f"an end-to-end output [1, n, 6] as {view.tensor.dtype} with one scale ({view.tensor.scale:.4g}): class "
            "numbers become fractions and scores share their steps with coordinates. Export it with float output, or "
            "with the one-to-many head (end2end=False)"
        )
    table = view.table(transposed=True)
    is_empty = table is None or not table[:, :4].any()
    return Recognition(
        family=Family.YOLO_END2END,
        outputs={"output": view.position},
        classes=None,
        box_units=units_of_centres(None if table is None else table[:, :4], view),
        transposed=True,
        notes=("nothing was found in the trial run: its boxes are taken as 0..1 of the input",) if is_empty else (),
    )
