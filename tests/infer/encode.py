"""Boxes written as each family's output tensors: the other way round from the decoders, and written apart from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.model import Family, ModelLayout, OutputLayout
from edge.core.values import Tensor
from tests.infer.reference import anchor_table, cell_table, face_centres

Boxes = NDArray[np.float64]


def encode(
    layout: ModelLayout, boxes: Boxes, scores: NDArray[np.float64], class_ids: NDArray[np.int64]
) -> tuple[Tensor, ...]:
    """(n, 4) x1, y1, x2, y2 in model-input pixels with scores and classes -> the outputs in the file's order."""
    planes = _WRITERS[layout.family](layout, np.asarray(boxes, np.float64).reshape(-1, 4), scores, class_ids)
    tensors = [(layout.outputs[role].index, store(layout.outputs[role], real)) for role, real in planes.items()]
    return tuple(tensor for _, tensor in sorted(tensors, key=lambda pair: pair[0]))


def store(output: OutputLayout, real: NDArray[np.float64]) -> Tensor:
    """Real numbers, candidates first or already in the output's shape, as that output holds them."""
    plane = real.reshape(-1, real.shape[-1]) if real.ndim > 1 else real
    sizes = list(output.shape[1:]) if len(output.shape) == 3 else list(output.shape)
    if plane.ndim == 2 and len(sizes) == 2 and list(plane.shape) != sizes:
        plane = plane.T
    values = plane.reshape(output.shape)
    if output.scale:
        limits = np.iinfo(output.dtype)
        values = np.clip(np.rint(values / output.scale) + output.zero_point, limits.min, limits.max)
    return Tensor(np.ascontiguousarray(values.astype(output.dtype)), output.scale, output.zero_point, output.name)


def _score_number(layout: ModelLayout, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(scores / (1 - scores)) if layout.score_kind == "logit" else scores


def _quiet(layout: ModelLayout) -> float:
    return -9.0 if layout.score_kind == "logit" else 0.0


def _in_units(layout: ModelLayout, boxes: Boxes) -> Boxes:
    if layout.box_units == "pixels":
        return boxes
    return boxes / np.array([layout.input.width, layout.input.height] * 2)


def _centred(boxes: Boxes) -> Boxes:
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def _spread(n: int, total: int) -> NDArray[np.int64]:
    """Places all over the candidate axis."""
    return (np.arange(n) * 7919 + 11) % total


def _own_cells(layout: ModelLayout, boxes: Boxes) -> NDArray[np.int64]:
    """For each box the free candidate of the coarsest fitting stride whose centre is nearest."""
    cells = np.array(cell_table(layout))
    centres = (cells[:, :2] + 0.5) * cells[:, 2:]
    taken: list[int] = []
    for x, y, *_ in _centred(boxes):
        away = np.abs(centres - (x, y)).max(axis=1) - cells[:, 2]  # prefers wide strides
        away[taken] = np.inf
        taken.append(int(away.argmin()))
    return np.array(taken, np.int64)


def _joined(layout, boxes, scores, class_ids):
    count = max(layout.outputs["output"].shape[1:]) if "output" in layout.outputs else 0
    objectness = layout.family is not Family.YOLOV8
    split = "output" not in layout.outputs
    total = count or max(layout.outputs["boxes"].shape)
    first = 5 if objectness else 4
    plane = np.zeros((total, first + layout.classes))
    plane[:, 4:] = _quiet(layout)
    if layout.grid == "raw":
        where = _own_cells(layout, boxes)
        cells = np.array(cell_table(layout))[where]
        centred = _centred(boxes)
        plane[where, :2] = centred[:, :2] / cells[:, 2:] - cells[:, :2]
        plane[where, 2:4] = np.log(centred[:, 2:] / cells[:, 2:])
    else:
        where = _spread(len(boxes), total)
        plane[where, :4] = _centred(_in_units(layout, boxes))
    if objectness:
        plane[where, 4] = 9.0 if layout.score_kind == "logit" else 1.0
    plane[where, first + class_ids] = _score_number(layout, scores)
    return {"boxes": plane[:, :4], "scores": plane[:, 4:]} if split else {"output": plane}


def _score_plane(layout, where, scores, class_ids):
    background = int(layout.background)
    plane = np.full((max(layout.outputs["scores"].shape), layout.classes + background), _quiet(layout))
    if background:
        plane[:, 0] = -_quiet(layout) if layout.score_kind == "logit" else 1.0
    plane[where, background + class_ids] = _score_number(layout, scores)
    return plane


def _distances(layout, boxes, where):
    cells = np.array(cell_table(layout))[where]
    centres = (cells[:, :2] + 0.5) * cells[:, 2:]
    return np.concatenate([centres - boxes[:, :2], boxes[:, 2:] - centres], axis=1) / cells[:, 2:]


def _ltrb(layout, boxes, scores, class_ids):
    where = _own_cells(layout, boxes)
    plane = np.zeros((max(layout.outputs["boxes"].shape), 4))
    plane[where] = _distances(layout, boxes, where)
    return {"boxes": plane, "scores": _score_plane(layout, where, scores, class_ids)}


def _dfl(layout, boxes, scores, class_ids):
    where = _own_cells(layout, boxes)
    total = max(layout.outputs["scores"].shape)
    bins = layout.outputs["boxes"].shape[1:]
    width = next(n for n in bins if n != total) // 4
    plane = np.full((total, 4, width), -12.0)
    for row, sides in zip(where, _distances(layout, boxes, where), strict=True):
        for side, distance in enumerate(np.clip(sides, 0, width - 1.001)):
            low = int(distance)
            # Two neighbouring bins whose softmax has the distance as its mean.
            part = min(max(distance - low, 1e-4), 1 - 1e-4)
            plane[row, side, low], plane[row, side, low + 1] = 10 + np.log(1 - part), 10 + np.log(part)
    return {"boxes": plane.reshape(total, -1), "scores": _score_plane(layout, where, scores, class_ids)}


def _blazeface(layout, boxes, scores, class_ids):
    centres = np.array(face_centres(layout))
    centred = _centred(boxes)
    taken: list[int] = []
    for x, y in centred[:, :2]:
        away = np.hypot(*(centres - (x, y)).T)
        away[taken] = np.inf
        taken.append(int(away.argmin()))
    where = np.array(taken, np.int64)
    plane = np.zeros((len(centres), 16))
    plane[where, :2] = centred[:, :2] - centres[where]
    plane[where, 2:4] = centred[:, 2:]
    return {"boxes": plane, "scores": _score_plane(layout, where, scores, class_ids)}


def _ssd_raw(layout, boxes, scores, class_ids):
    anchors = np.array(anchor_table(layout))
    size = np.array([layout.input.width, layout.input.height])
    centred = _centred(boxes)
    taken: list[int] = []
    for cx, cy, w, h in centred / np.tile(size, 2):
        away = np.abs(anchors - (cy, cx, h, w)).sum(axis=1)
        away[taken] = np.inf
        taken.append(int(away.argmin()))
    where = np.array(taken, np.int64)
    own = anchors[where]
    yxhw = (centred / np.tile(size, 2))[:, [1, 0, 3, 2]]
    variances = np.array(layout.anchors.variances)
    plane = np.zeros((len(anchors), 4))
    plane[where, :2] = (yxhw[:, :2] - own[:, :2]) / own[:, 2:] * variances[:2]
    plane[where, 2:] = np.log(yxhw[:, 2:] / own[:, 2:]) * variances[2:]
    planes = {"boxes": plane, "scores": _score_plane(layout, where, scores, class_ids)}
    return planes | ({"anchors": anchors} if "anchors" in layout.outputs else {})


def _ssd_postprocess(layout, boxes, scores, class_ids):
    room = layout.outputs["scores"].shape[1]
    planes = {"boxes": np.zeros((room, 4)), "classes": np.zeros(room), "scores": np.zeros(room)}
    order = np.argsort(-np.asarray(scores), kind="stable")[:room]
    planes["boxes"][: len(order)] = _in_units(layout, boxes)[order][:, [1, 0, 3, 2]]
    planes["classes"][: len(order)] = class_ids[order]
    planes["scores"][: len(order)] = scores[order]
    return planes | {"count": np.array([float(len(order))])}


def _end2end(layout, boxes, scores, class_ids):
    plane = np.zeros((max(layout.outputs["output"].shape), 6))
    plane[:, 4] = _quiet(layout)
    where = _spread(len(boxes), len(plane))
    plane[where, :4], plane[where, 4] = _in_units(layout, boxes), _score_number(layout, scores)
    plane[where, 5] = class_ids
    return {"output": plane}


_WRITERS = {
    Family.SSD_POSTPROCESS: _ssd_postprocess,
    Family.SSD_RAW: _ssd_raw,
    Family.YOLOV5: _joined,
    Family.YOLOV8: _joined,
    Family.YOLOX: _joined,
    Family.YOLO_DFL: _dfl,
    Family.YOLO_END2END: _end2end,
    Family.LTRB: _ltrb,
    Family.BLAZEFACE: _blazeface,
}
