"""Every family decoded candidate by candidate in plain Python: slow, obvious, and written apart from the product."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from edge.core.model import Family, ModelLayout
from edge.core.values import Tensor


class Found(NamedTuple):
    box: tuple[float, float, float, float]
    score: float
    class_id: int


def decode_slowly(
    layout: ModelLayout,
    outputs: tuple[Tensor, ...],
    *,
    threshold: float,
    max_boxes: int = 300,
    multi_label: bool = False,
) -> list[Found]:
    """What the product's decoder must answer."""
    found: list[Found] = []
    for box, scores in _candidates(layout, outputs):
        best = max(range(len(scores)), key=lambda i: (scores[i], -i))
        found += [
            Found(box, min(1.0, float(scores[class_id])), class_id)
            for class_id in (range(len(scores)) if multi_label else [best])
            if scores[class_id] >= np.float32(threshold) and _is_box(box)
        ]
    found.sort(key=lambda one: -one.score)
    return nms_slowly(found, layout.nms_iou)[:max_boxes]


def nms_slowly(found: list[Found], limit: float) -> list[Found]:
    kept: list[Found] = []
    for one in found:
        if all(one.class_id != other.class_id or iou(one.box, other.box) <= limit for other in kept):
            kept.append(one)
    return kept


def iou(left, right) -> float:
    wide = min(left[2], right[2]) - max(left[0], right[0])
    high = min(left[3], right[3]) - max(left[1], right[1])
    shared = max(0.0, wide) * max(0.0, high)
    total = (left[2] - left[0]) * (left[3] - left[1]) + (right[2] - right[0]) * (right[3] - right[1])
    return shared / (total - shared)


def _is_box(box) -> bool:
    return all(math.isfinite(side) for side in box) and box[2] > box[0] and box[3] > box[1]


def _rows(layout: ModelLayout, outputs: tuple[Tensor, ...], role: str) -> list[list[float]]:
    output = layout.outputs[role]
    tensor = outputs[output.index]
    real = tensor.values.astype(np.float32)
    if tensor.scale:
        real = (real - np.float32(tensor.zero_point)) * np.float32(tensor.scale)
    plane = real[0]
    return (plane if layout.transposed else plane.T).tolist()


def _score(layout: ModelLayout, number: float) -> float:
    if layout.score_kind == "probability":
        return float(np.float32(number))
    return float(np.float32(1 / (1 + math.exp(-number))))


def _pixels(layout: ModelLayout, box):
    if layout.box_units == "pixels":
        return tuple(box)
    width, height = layout.input.width, layout.input.height
    return (box[0] * width, box[1] * height, box[2] * width, box[3] * height)


def _corners(cx, cy, w, h):
    return (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)


def _candidates(layout, outputs):
    if layout.family in (Family.YOLOV5, Family.YOLOX):
        for i, row in enumerate(_rows(layout, outputs, "output")):
            objectness = np.float32(_score(layout, row[4]))
            scores = [float(objectness * np.float32(_score(layout, number))) for number in row[5:]]
            if layout.grid == "raw" and layout.family is Family.YOLOX:
                column, line, stride = cell_table(layout)[i]
                box = _corners(
                    (row[0] + column) * stride,
                    (row[1] + line) * stride,
                    math.exp(row[2]) * stride,
                    math.exp(row[3]) * stride,
                )
            else:
                box = _pixels(layout, _corners(*row[:4]))
            yield box, scores
    elif layout.family is Family.YOLOV8 and "output" in layout.outputs:
        for row in _rows(layout, outputs, "output"):
            yield _pixels(layout, _corners(*row[:4])), [_score(layout, number) for number in row[4:]]
    else:
        boxes = _rows(layout, outputs, "boxes")
        for i, (box, scores) in enumerate(zip(boxes, _rows(layout, outputs, "scores"), strict=True)):
            yield _box_of(layout, outputs, i, box), [_score(layout, n) for n in scores[int(layout.background) :]]


def _box_of(layout, outputs, i, row):
    if layout.family is Family.YOLOV8:
        return _pixels(layout, _corners(*row))
    if layout.family is Family.BLAZEFACE:
        x, y = face_centres(layout)[i]
        return _corners(row[0] + x, row[1] + y, row[2], row[3])
    if layout.family is Family.SSD_RAW:
        cy, cx, h, w = _rows(layout, outputs, "anchors")[i] if "anchors" in layout.outputs else anchor_table(layout)[i]
        v = layout.anchors.variances
        centre = (row[1] / v[1] * w + cx, row[0] / v[0] * h + cy)
        return _scaled(layout, _corners(*centre, math.exp(row[3] / v[3]) * w, math.exp(row[2] / v[2]) * h))
    column, line, stride = cell_table(layout)[i]
    x, y = (column + 0.5) * stride, (line + 0.5) * stride
    left, top, right, bottom = row if layout.family is Family.LTRB else _mean_bins(row)
    return (x - left * stride, y - top * stride, x + right * stride, y + bottom * stride)


def _scaled(layout, box):
    return (
        box[0] * layout.input.width,
        box[1] * layout.input.height,
        box[2] * layout.input.width,
        box[3] * layout.input.height,
    )


def _mean_bins(row):
    bins = len(row) // 4
    sides = []
    for side in range(4):
        logits = row[side * bins : (side + 1) * bins]
        if bins == 1:
            sides.append(logits[0])
            continue
        weights = [math.exp(logit - max(logits)) for logit in logits]
        sides.append(sum(place * weight for place, weight in enumerate(weights)) / sum(weights))
    return sides


def cell_table(layout: ModelLayout) -> list[tuple[int, int, int]]:
    """Column, row, stride of each candidate."""
    return [
        (column, row, stride)
        for stride in layout.strides
        for row in range(math.ceil(layout.input.height / stride))
        for column in range(math.ceil(layout.input.width / stride))
    ]


def face_centres(layout: ModelLayout) -> list[tuple[float, float]]:
    """MediaPipe's short-range anchors (128) and full-range ones (192): centres in pixels."""
    size = layout.input.width
    layers = {128: [8, 8, 16, 16, 16, 16, 16, 16], 192: [4], 256: [16, 16, 32, 32, 32, 32, 32, 32]}[size]
    centres = []
    for stride in sorted(set(layers)):
        for row in range(size // stride):
            for column in range(size // stride):
                centres += [((column + 0.5) * stride, (row + 0.5) * stride)] * layers.count(stride)
    return centres


def anchor_table(layout: ModelLayout) -> list[tuple[float, float, float, float]]:
    """The Object Detection API's default SSD anchors: centre y, centre x, height, width."""
    width, height = layout.input.width, layout.input.height
    short = min(width, height)
    rows, columns = math.ceil(height / 16), math.ceil(width / 16)
    scales = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0]
    anchors = []
    for layer in range(6):
        shapes = [(scales[layer], aspect) for aspect in (1.0, 2.0, 0.5, 3.0, 0.3333)]
        shapes.append((math.sqrt(scales[layer] * scales[layer + 1]), 1.0))
        if layer == 0:
            shapes = [(0.1, 1.0), (0.2, 2.0), (0.2, 0.5)]
        for row in range(rows):
            for column in range(columns):
                for scale, aspect in shapes:
                    h, w = scale / math.sqrt(aspect), scale * math.sqrt(aspect)
                    anchors.append(
                        ((row + 0.5) / rows, (column + 0.5) / columns, h * short / height, w * short / width)
                    )
        rows, columns = math.ceil(rows / 2), math.ceil(columns / 2)
    return anchors
