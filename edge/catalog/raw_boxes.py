"""An SSD's boxes before its graph suppresses all but a few: the same file, cut off before its post-processing.

TFLite_Detection_PostProcess keeps ten boxes in most published files. What goes into it, box encodings, class scores
and anchors, are tensors of the file; a copy in memory that ends there costs no file and no more memory than the whole.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import msgspec

from edge.catalog.flatbuffer import Table, root_table
from edge.catalog.flexbuffer import read_options
from edge.catalog.model_file import ModelFile, Operator, TensorInfo, parse_model
from edge.catalog.ssd import POSTPROCESS
from edge.core.errors import ModelError
from edge.core.model import AnchorLayout, Family, Model, ModelLayout, OutputLayout

_BOXES, _SCORES, _ANCHORS = 0, 1, 2  # the operator's inputs; lite/kernels/detection_postprocess.cc
_VARIANCES = {"y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0}
# Fields of the schema's tables (tflite/schema.fbs).
_MODEL_GRAPHS, _MODEL_SIGNATURES = 2, 7
_GRAPH_OUTPUTS, _GRAPH_OPERATORS = 2, 3


@dataclass(frozen=True, slots=True)
class RawBoxes:
    """A file's content without its post-processing, and how to read what comes out of it."""

    content: bytes
    layout: ModelLayout


def cut_postprocess(model: Model, content: bytes) -> RawBoxes:
    """The model without its post-processing.

    Parameters
    ----------
    content : of the model's file

    Raises
    ------
    ModelError
        If the graph does not end in the operator, or does not state what is needed to do its work outside.
    """
    file = parse_model(content)
    operator = next((op for op in file.operators if op.custom and op.name == POSTPROCESS), None)
    if operator is None or len(operator.inputs) <= _ANCHORS:
        raise ModelError(
            f"{model.path}: expected a model whose graph ends in {POSTPROCESS}, for boxes before its post-processing; "
            f"found the family {model.layout.family}; take `boxes: raw` out"
        )
    layout = _layout(model, file, operator)
    wanted = [operator.inputs[_BOXES], operator.inputs[_SCORES]]
    cut = _cut(content, outputs=wanted, kept=_needed(file, wanted))
    if parse_model(cut).outputs != tuple(wanted):
        raise ModelError(f"{model.path}: its graph can't be cut off before the post-processing; take `boxes: raw` out")
    return RawBoxes(cut, layout)


def _layout(model: Model, file: ModelFile, operator: Operator) -> ModelLayout:
    boxes, scores, anchors = (file.tensors[index] for index in operator.inputs[: _ANCHORS + 1])
    columns = scores.shape[-1] if scores.shape else 0
    classes = model.layout.classes
    if not anchors.is_constant or columns not in (classes, classes + 1) or len(boxes.shape) < 3:
        raise ModelError(
            f"{model.path}: expected constant anchors and scores of {classes} classes before {POSTPROCESS}, found "
            f"scores of the shape {scores.shape} and {'constant' if anchors.is_constant else 'computed'} anchors; "
            "take `boxes: raw` out"
        )
    options = _options(operator)
    overlap = options.get("nms_iou_threshold", 0.0)
    return msgspec.structs.replace(
        model.layout,
        family=Family.SSD_RAW,
        outputs={"boxes": _output(boxes, 0, model), "scores": _output(scores, 1, model)},
        score_kind="probability",
        background=columns == classes + 1,
        transposed=True,
        anchors=AnchorLayout(kind="constant", tensor=anchors.index, variances=_variances(options)),
        nms_iou=overlap if 0.0 < overlap < 1.0 else model.layout.nms_iou,
    )


def _output(tensor: TensorInfo, index: int, model: Model) -> OutputLayout:
    if len(tensor.scales) > 1:
        raise ModelError(f"{model.path}: {tensor.name} has a scale per channel; take `boxes: raw` out")
    return OutputLayout(
        name=tensor.name,
        index=index,
        shape=tensor.shape,
        dtype=tensor.dtype,
        scale=tensor.scale,
        zero_point=tensor.zero_point,
    )


def _options(operator: Operator) -> dict[str, float]:
    try:
        return read_options(operator.options) if operator.options else {}
    except ModelError:
        return {}


def _variances(options: dict[str, float]) -> tuple[float, float, float, float]:
    told = [options.get(key, default) for key, default in _VARIANCES.items()]
    y, x, h, w = told if all(math.isfinite(one) and one > 0 for one in told) else _VARIANCES.values()
    return y, x, h, w


def _needed(file: ModelFile, outputs: list[int]) -> list[int]:
    """Which operators, by their place, have a part in these tensors; in the file's order."""
    tensors, kept = set(outputs), []
    for place in reversed(range(len(file.operators))):  # a graph's operators stand in the order they run
        operator = file.operators[place]
        if tensors & set(operator.outputs):
            tensors |= set(operator.inputs)
            kept.append(place)
    return kept[::-1]


def _cut(content: bytes, *, outputs: list[int], kept: list[int]) -> bytes:
    """The file with these graph outputs and operators alone. Lists get shorter where they stand: nothing moves."""
    data = bytearray(content)
    model = root_table(memoryview(content))
    graph = model.tables(_MODEL_GRAPHS)[0]
    start, length = graph.vector(_GRAPH_OUTPUTS, item=4)
    if length < len(outputs):
        raise ModelError(f"expected at least {len(outputs)} outputs of the graph, found {length}")
    struct.pack_into(f"<I{len(outputs)}i", data, start - 4, len(outputs), *outputs)
    _keep_tables(data, graph, kept)
    if model.has(_MODEL_SIGNATURES):  # they name outputs that are gone
        struct.pack_into("<I", data, model.vector(_MODEL_SIGNATURES, item=4)[0] - 4, 0)
    return bytes(data)


def _keep_tables(data: bytearray, graph: Table, kept: list[int]) -> None:
    start, _ = graph.vector(_GRAPH_OPERATORS, item=4)
    tables = graph.tables(_GRAPH_OPERATORS)
    struct.pack_into("<I", data, start - 4, len(kept))
    for place, index in enumerate(kept):
        at = start + 4 * place
        # Offsets are unsigned and relative to themselves; a kept entry only moves towards the front.
        struct.pack_into("<I", data, at, tables[index].position - at)
