"""Recognises SSDs whose graph ends with non-maximum suppression: four outputs."""

from __future__ import annotations

import math

import numpy as np

from edge.catalog.evidence import Evidence, OutputView, Recognition
from edge.catalog.flexbuffer import read_options
from edge.catalog.model_file import Operator
from edge.catalog.scores import units_of_centres
from edge.core.errors import ModelError
from edge.core.model import Family

POSTPROCESS = "TFLite_Detection_PostProcess"
_ANCHORS_INPUT = 2  # encodings, class scores, anchors
# The operator's own outputs, in its order (lite/kernels/detection_postprocess.cc).
_SLOTS = ("boxes", "classes", "scores", "count")
# Orders met in files without the operator, by the positions of boxes and count.
_ORDERS = {
    (3, 0): ("count", "scores", "classes", "boxes"),  # TensorFlow 2 signature: output_0 = count ...
    (0, 3): ("boxes", "classes", "scores", "count"),  # TensorFlow 1, TOCO
    (1, 2): ("scores", "boxes", "count", "classes"),  # TensorFlow 2 without a signature
}
_SIGNATURE = {"output_0": "count", "output_1": "scores", "output_2": "classes", "output_3": "boxes"}


def find_postprocess(evidence: Evidence) -> Operator | None:
    """The post-processing operator, if the file has one."""
    return next((op for op in evidence.model.operators if op.custom and op.name == POSTPROCESS), None)


def recognise_postprocess(evidence: Evidence) -> Recognition | None:
    """SSD with the operator: every graph output is followed back to the operator's slot, so any order is exact."""
    operator = find_postprocess(evidence)
    if operator is None or len(operator.outputs) != len(_SLOTS):
        return None
    roles: dict[str, int] = {}
    for view in evidence.outputs:
        slot = evidence.graph.slot_of(view.tensor.index, operator)
        if slot is not None:
            roles.setdefault(_SLOTS[slot], view.position)
    if not roles:
        return None
    if set(roles) != set(_SLOTS):
        missing = sorted(set(_SLOTS) - set(roles))
        raise ModelError(f"the {POSTPROCESS} outputs {missing} are not outputs of the graph; export all four")
    return Recognition(
        family=Family.SSD_POSTPROCESS,
        outputs=roles,
        classes=_classes(evidence, operator),
        box_units=_anchor_units(evidence, operator) or _box_units(evidence, roles),
    )


def _anchor_units(evidence: Evidence, operator: Operator) -> str:
    """The operator's boxes are in its anchors' units; "" where the file does not hold those."""
    has_anchors = len(operator.inputs) > _ANCHORS_INPUT
    anchors = evidence.model.real_constant(operator.inputs[_ANCHORS_INPUT]) if has_anchors else None
    if anchors is None or not anchors.size or anchors.size % 4:
        return ""
    return units_of_centres(anchors.reshape(-1, 4)[:, :2], evidence.outputs[0])


def _classes(evidence: Evidence, operator: Operator) -> int | None:
    """The operator's own setting, else the class scores' columns without the background."""
    columns = 0
    if len(operator.inputs) > 1:
        shape = evidence.model.tensors[operator.inputs[1]].shape
        columns = shape[-1] if len(shape) >= 2 else 0
    try:
        stated = read_options(operator.options).get("num_classes", 0.0) if operator.options else 0.0
    except ModelError:
        stated = 0.0
    if math.isfinite(stated) and stated > 0 and (not columns or columns - 1 <= stated <= columns):
        return int(stated)
    return columns - 1 if columns > 1 else None


def recognise_four_outputs(evidence: Evidence) -> Recognition | None:
    """The same four outputs made by other operators: by signature names, else by the places of boxes and count."""
    if len(evidence.outputs) != 4:
        return None
    boxes = [v for v in evidence.outputs if len(v.shape) >= 2 and v.shape[-1] == 4 and math.prod(v.shape) >= 4]
    counts = [v for v in evidence.outputs if math.prod(v.shape) == 1]
    if len(boxes) > 1 and len(counts) == 1:  # n == 4 boxes make every row four wide: the boxes have the higher rank
        top = max(len(v.shape) for v in boxes)
        boxes = [v for v in boxes if len(v.shape) == top]
    if len(boxes) != 1 or len(counts) != 1:
        return None
    others = [v for v in evidence.outputs if v not in (boxes[0], counts[0])]
    if any(math.prod(v.shape) * 4 != math.prod(boxes[0].shape) for v in others):
        return None
    roles = _by_signature(evidence) or _by_order(boxes[0], counts[0], others)
    roles = _swapped_if_proved(evidence, roles)
    return Recognition(
        family=Family.SSD_POSTPROCESS, outputs=roles, classes=None, box_units=_box_units(evidence, roles)
    )


def _by_signature(evidence: Evidence) -> dict[str, int] | None:
    named = evidence.model.signature
    if set(named) != set(_SIGNATURE):
        return None
    positions = {tensor: position for position, tensor in enumerate(evidence.model.outputs)}
    roles = {_SIGNATURE[name]: positions[tensor] for name, tensor in named.items() if tensor in positions}
    if set(roles) != set(_SLOTS):
        return None
    views = evidence.outputs
    sound = views[roles["boxes"]].shape[-1:] == (4,) and math.prod(views[roles["count"]].shape) == 1
    return roles if sound else None


def _by_order(boxes: OutputView, count: OutputView, others: list[OutputView]) -> dict[str, int]:
    order = _ORDERS.get((boxes.position, count.position))
    if order is not None:
        return {role: position for position, role in enumerate(order)}
    whole = [view for view in others if _is_whole(view)]
    if len(whole) != 1:
        raise ModelError(
            f"four outputs like an SSD's, but in an unknown order (boxes at {boxes.position}, count at "
            f"{count.position}), and classes cannot be told from scores. Export it with {POSTPROCESS}"
        )
    scores = next(view for view in others if view is not whole[0])
    return {"boxes": boxes.position, "count": count.position, "classes": whole[0].position, "scores": scores.position}


def _swapped_if_proved(evidence: Evidence, roles: dict[str, int]) -> dict[str, int]:
    """Exchange classes and scores when the run's numbers leave no doubt."""
    classes, scores = evidence.outputs[roles["classes"]], evidence.outputs[roles["scores"]]
    if _is_whole(scores) and not _is_whole(classes) and scores.real is not None and float(scores.real.max()) > 1:
        return {**roles, "classes": roles["scores"], "scores": roles["classes"]}
    return roles


def _is_whole(view: OutputView) -> bool:
    real = view.real
    return real is not None and bool(real.size) and bool(np.all(real == np.rint(real)))


def _box_units(evidence: Evidence, roles: dict[str, int]) -> str:
    view = evidence.outputs[roles["boxes"]]
    return units_of_centres(view.real, view)
