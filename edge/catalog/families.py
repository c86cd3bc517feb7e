"""Says which family a model belongs to, or why it is none that can be run."""

from __future__ import annotations

import math
from collections.abc import Callable

from edge.catalog.evidence import Evidence, OutputView, Recognition
from edge.catalog.pairs import find_pair, recognise_dfl, recognise_grid_pair
from edge.catalog.raw_ssd import recognise_blazeface, recognise_raw
from edge.catalog.single import recognise_single
from edge.catalog.ssd import recognise_four_outputs, recognise_postprocess
from edge.core.errors import ModelError

# The surest evidence first: an operator, then counts of outputs and their grid.
_RECOGNISERS: tuple[Callable[[Evidence], Recognition | None], ...] = (
    recognise_postprocess,
    recognise_four_outputs,
    recognise_blazeface,
    recognise_dfl,
    recognise_raw,
    recognise_grid_pair,
    recognise_single,
)
_NO_DETECTION_TASKS = {
    "segment": "a segmentation model",
    "pose": "a pose model",
    "obb": "a model for rotated boxes",
    "classify": "a classifier",
}


def recognise(evidence: Evidence) -> Recognition:
    """The family and how its outputs are read.

    Raises
    ------
    ModelError
        With what was found and the way out.
    """
    _check_task(evidence)
    for recogniser in _RECOGNISERS:
        found = recogniser(evidence)
        if found is not None and evidence.hint in {None, found.family}:
            return found
    raise ModelError(_unknown(evidence))


def _check_task(evidence: Evidence) -> None:
    task = evidence.metadata.task
    if task in _NO_DETECTION_TASKS:
        raise ModelError(
            f"{_NO_DETECTION_TASKS[task]} (task {task!r} in its metadata), not a detector; export the detection model"
        )


def _unknown(evidence: Evidence) -> str:
    listed = ", ".join(evidence.tables()) or "none"
    if evidence.hint is not None:
        return f"the file cannot be read as {evidence.hint}: its outputs are {listed}; leave --family out to see why"
    if len(evidence.outputs) == 1 and _is_class_vector(evidence.outputs[0]):
        return (
            f"a classifier, not a detector: its one output {listed} has a score per class and no boxes. "
            "Use a detection model ('edge models list' names some)"
        )
    pair = find_pair(evidence, width=4)
    if pair is not None:
        return (
            f"boxes and scores for {pair.candidates} candidates ({listed}), which is no stride grid of a "
            f"{evidence.width}x{evidence.height} input and has no anchors in the file. Export it with "
            "TFLite_Detection_PostProcess, or with the anchors as a third output"
        )
    if any(_is_mask(view, evidence) for view in evidence.outputs):
        return (
            f"a segmentation model or raw feature maps, not a detector that can be read: outputs {listed}. "
            "Export the detection model with its head decoded"
        )
    return (
        f"no known detector has these outputs for a {evidence.width}x{evidence.height} input: {listed}. Known are SSD "
        "with and without post-processing, YOLOv5, YOLOv8/9/11, two-tensor DFL, end-to-end [1, n, 6], YOLOX, ltrb and "
        "BlazeFace. Export one of these, or name the family with --family"
    )


def _is_class_vector(view: OutputView) -> bool:
    """(1, n) or (1, 1, 1, n)."""
    return bool(view.shape) and view.shape[-1] > 1 and math.prod(view.shape) == view.shape[-1]


def _is_mask(view: OutputView, evidence: Evidence) -> bool:
    """A number for each place of a map: (1, rows, columns, channels), or a class for each pixel."""
    maps = len(view.shape) == 4 and view.shape[1] > 1 and view.shape[2] > 1
    return maps or view.shape[1:] == (evidence.height, evidence.width)
