"""Recognises raw SSDs (encodings against anchors, suppression outside) and BlazeFace."""

from __future__ import annotations

import math

import numpy as np

from edge.catalog.evidence import Evidence, OutputView, Recognition
from edge.catalog.flexbuffer import read_options
from edge.catalog.grid import strides_of
from edge.catalog.pairs import Pair, find_pair
from edge.catalog.scores import score_kind
from edge.catalog.ssd import find_postprocess
from edge.core.errors import ModelError
from edge.core.model import AnchorLayout, Family

_FACE_CHANNELS = 16  # box (4) and six key points (12)
# MediaPipe's anchor settings: strides of the layers, anchors per cell and layer, with the input they belong to.
_FACE_ANCHORS = (
    ((8, 16, 16, 16), 2),  # short range, 128
    ((16, 32, 32, 32), 2),  # back camera, 256
    ((4,), 1),  # full range, 192
)
# TensorFlow Object Detection API, default ssd_anchor_generator: 6 layers from stride 16 on, 3 anchors in the first
# (reduce_boxes_in_lowest_layer), 6 in the others.
_FIRST_STRIDE, _LAYERS, _FIRST_ANCHORS, _ANCHORS = 16, 6, 3, 6
_DEFAULT_VARIANCES = (10.0, 10.0, 5.0, 5.0)
# Class counts of public label lists: a score axis this wide has no background column.
_WITHOUT_BACKGROUND = {1, 80, 90}


def recognise_blazeface(evidence: Evidence) -> Recognition | None:
    """Face regressors [1, n, 16] and one score each."""
    pair = find_pair(evidence, width=_FACE_CHANNELS)
    if pair is None or pair.classes != 1 or len(evidence.outputs) != 2:
        return None
    strides = _face_strides(pair.candidates, evidence.width, evidence.height)
    if strides is None:
        raise ModelError(
            f"BlazeFace-like outputs with {pair.candidates} anchors, which no known anchor set gives for a "
            f"{evidence.width}x{evidence.height} input (known: 896 at 128 and 256, 2304 at 192)"
        )
    return Recognition(
        family=Family.BLAZEFACE,
        outputs={"boxes": pair.boxes.position, "scores": pair.scores.position},
        classes=1,
        score_kind=score_kind(evidence, pair.scores, pair.score_table()),
        transposed=True,
        strides=strides,
        box_units="pixels",
    )


def _face_strides(count: int, width: int, height: int) -> tuple[int, ...] | None:
    for strides, each in _FACE_ANCHORS:
        if sum(each * (width // stride) * (height // stride) for stride in strides) == count:
            return strides
    return None


def recognise_raw(evidence: Evidence) -> Recognition | None:
    """Boxes [1, n, 4] and class scores [1, n, classes (+ background)], with anchors from somewhere."""
    if len(evidence.outputs) not in {2, 3}:
        return None
    anchors_at = _anchor_output(evidence)
    others = tuple(view for view in evidence.outputs if view is not anchors_at)
    pair = find_pair(evidence, width=4, among=others)
    if pair is None or not pair.transposed or (len(others) > 2 and evidence.hint is not Family.SSD_RAW):
        return None
    anchors = _anchors(evidence, pair, anchors_at)
    if anchors is None:
        return None
    table = pair.score_table()
    outputs = {"boxes": pair.boxes.position, "scores": pair.scores.position}
    if anchors_at is not None:
        outputs["anchors"] = anchors_at.position
    background = _has_background(evidence, pair.classes)
    return Recognition(
        family=Family.SSD_RAW,
        outputs=outputs,
        classes=pair.classes - 1 if background else pair.classes,
        score_kind=score_kind(evidence, pair.scores, table),
        background=background,
        transposed=True,
        anchors=anchors,
        notes=("the anchors are the TensorFlow Object Detection API's defaults for this input size",)
        if anchors.kind == "generated"
        else (),
    )


def _anchor_output(evidence: Evidence) -> OutputView | None:
    """The output that holds anchors: four wide, and the same for every picture."""
    if len(evidence.outputs) != 3:
        return None
    fours = [v for v in evidence.outputs if v.plane is not None and v.plane[1] == 4]
    fixed = [v for v in fours if not evidence.graph.depends_on_picture(v.tensor.index)]
    likely = [v for v in (fixed or fours) if v.real is None or looks_like_anchors(v.real)]
    if len(likely) > 1:
        likely = [v for v in likely if len(v.shape) == 2 or "anchor" in v.tensor.name.lower()]
    return likely[0] if len(likely) == 1 else None


def looks_like_anchors(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bool:
    """y, x, h, w in 0..1: centres inside the picture, sides positive."""
    table = values.reshape(-1, 4)
    inside = (table[:, :2] > -0.1).all() and (table[:, :2] < 1.1).all()
    return bool(np.isfinite(table).all() and inside and (table[:, 2:] > 0).all() and (table[:, 2:] < 4).all())


def _anchors(evidence: Evidence, pair: Pair, anchors_at: OutputView | None) -> AnchorLayout | None:
    variances = _variances(evidence)
    if anchors_at is not None:
        return AnchorLayout(kind="output", variances=variances)
    tensor = _anchor_constant(evidence, pair.candidates)
    # YOLO heads keep tables of their grid as constants: on a stride grid, only the operator proves anchors.
    is_grid = strides_of(pair.candidates, evidence.width, evidence.height) is not None
    if tensor is not None and not (is_grid and find_postprocess(evidence) is None and evidence.hint is None):
        return AnchorLayout(kind="constant", tensor=tensor, variances=variances)
    if pair.candidates == default_anchor_count(evidence.width, evidence.height):
        return AnchorLayout(kind="generated", variances=variances)
    return None


def _anchor_constant(evidence: Evidence, count: int) -> int | None:
    """A constant [count, 4] in the file whose numbers can be anchors."""
    for tensor in evidence.model.tensors:
        named = tensor.shape == (1, count, 4) and "anchor" in tensor.name.lower()
        if not tensor.is_constant or not (named or tensor.shape == (count, 4)):
            continue
        real = evidence.model.real_constant(tensor.index)
        if real is not None and looks_like_anchors(real):
            return tensor.index
    return None


def _variances(evidence: Evidence) -> tuple[float, float, float, float]:
    """The post-processing operator's scales if it is in the file, else the API's defaults."""
    operator = find_postprocess(evidence)
    if operator is None or not operator.options:
        return _DEFAULT_VARIANCES
    try:
        told = read_options(operator.options)
    except ModelError:
        return _DEFAULT_VARIANCES
    found = [told.get(key, 0.0) for key in ("y_scale", "x_scale", "h_scale", "w_scale")]
    if not all(math.isfinite(value) and value > 0 for value in found):
        return _DEFAULT_VARIANCES
    return found[0], found[1], found[2], found[3]


def _has_background(evidence: Evidence, columns: int) -> bool:
    """Whether the first score column means "nothing": a label list decides, else the count of columns."""
    if evidence.label_count in {columns, columns - 1} and columns > 1:
        return evidence.label_count == columns - 1
    return columns not in _WITHOUT_BACKGROUND


def default_anchor_count(width: int, height: int) -> int:
    """Example: 300x300 has feature maps of 19, 10, 5, 3, 2, 1: 3 * 361 + 6 * 139 = 1917."""
    total, columns, rows = 0, -(-width // _FIRST_STRIDE), -(-height // _FIRST_STRIDE)
    for layer in range(_LAYERS):
        total += columns * rows * (_FIRST_ANCHORS if layer == 0 else _ANCHORS)
        columns, rows = -(-columns // 2), -(-rows // 2)
    return total
