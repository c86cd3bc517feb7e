"""Says what a model file is, how to run it, or why it cannot be run: guessed once, here, and written down."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from edge.catalog.bare import bare_model
from edge.catalog.content import read_bytes
from edge.catalog.evidence import Evidence, OutputView, Recognition, view_outputs
from edge.catalog.families import recognise
from edge.catalog.graph import Graph
from edge.catalog.labels import MAX_LABELS, fit_labels, known_labels, without_background
from edge.catalog.metadata import Metadata, read_metadata
from edge.catalog.model_file import ModelFile, parse_model
from edge.catalog.operators import KNOWN_CUSTOM
from edge.catalog.preprocessing import check_input, layout_input
from edge.catalog.scores import check_alive, check_numbers, check_resolution
from edge.catalog.trial import EDGE_TPU_LIBRARY, Trial, TrialRun
from edge.core.errors import MissingLibraryError, ModelError
from edge.core.model import Family, InputLayout, Model, ModelLayout
from edge.core.plain_text import plain_text

_EDGE_TPU_OPERATOR = "edgetpu-custom-op"
# Families whose outputs are empty when nothing is seen: one constant is no sign of damage.
_MAY_BE_EMPTY = {Family.SSD_POSTPROCESS, Family.YOLO_END2END}
# What each family's makers use: Ultralytics 0.7, YOLOX 0.65, MediaPipe 0.3, SSD 0.6; our own 0.5, chosen on held-out
# pictures: at 0.6 more things were told twice.
_NMS_IOU = {
    Family.YOLOV5: 0.7,
    Family.YOLOV8: 0.7,
    Family.YOLO_DFL: 0.7,
    Family.YOLOX: 0.65,
    Family.BLAZEFACE: 0.3,
    Family.LTRB: 0.5,
}
_DEFAULT_NMS_IOU = 0.6


@dataclass(frozen=True, slots=True)
class Hints:
    """What the user knows better: the family, or the labels and where they come from."""

    family: Family | None = None
    labels: tuple[str, ...] = ()
    labels_from: str = ""


@dataclass(slots=True)
class Inspection:
    """What was found out, as far as it went. ``reason`` is empty when the file can be run."""

    path: Path
    sha256: str = ""
    bytes: int = 0
    reason: str = ""
    backend: Literal["cpu", "edgetpu"] = "cpu"
    family: Family | None = None
    layout: ModelLayout | None = None
    input: InputLayout | None = None
    labels: tuple[str, ...] = ()
    labels_from: str = ""
    description: str = ""
    licence: str = ""
    author: str = ""
    runtime: str = ""
    notes: list[str] = field(default_factory=list)
    operators: dict[str, int] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        return not self.reason

    def require(self, *, name: str = "") -> Model:
        """The model, ready to run. Raises ModelError with the reason if it cannot be."""
        if self.reason or self.layout is None:
            raise ModelError(f"{self.path}: {self.reason}")
        return bare_model(self.path, self.sha256, self.layout, self.labels, name=name)


def inspect_file(path: Path, *, trial: Trial | None, hints: Hints | None = None) -> Inspection:
    """Inspect a file; never raises for what the file is: that is ``reason``.

    Parameters
    ----------
    trial : runs the file once; None = by the graph alone, which decides less
    """
    found = Inspection(path)
    try:
        _inspect(found, trial, hints or Hints())
    except (ModelError, MissingLibraryError) as error:
        found.reason = plain_text(str(error))  # a file's own names stand in it
    return found


def _inspect(found: Inspection, trial: Trial | None, hints: Hints) -> None:
    content = read_bytes(found.path)
    found.bytes, found.sha256 = len(content), hashlib.sha256(content).hexdigest()
    model = parse_model(content)
    metadata = read_metadata(model)
    _describe(found, model, metadata)
    _check_operators(model)
    run = _try(found, trial, model)
    size = check_input(model)
    evidence = Evidence(
        model, Graph(model), metadata, view_outputs(model, run), size.width, size.height, hints.family,
        len(without_background(hints.labels or metadata.labels)),
    )  # fmt: skip
    found.outputs = evidence.tables()
    recognition = recognise(evidence)
    found.family = recognition.family
    found.notes.extend(recognition.notes)
    found.input = layout_input(model, recognition.family, metadata)
    _check_outputs(recognition, evidence)
    classes = _label(found, recognition, metadata, hints)
    found.layout = _layout(found, found.input, recognition, evidence.outputs, classes)


def _describe(found: Inspection, model: ModelFile, metadata: Metadata) -> None:
    found.operators = dict(Counter(operator.name for operator in model.operators).most_common())
    found.description, found.licence, found.author = model.description, metadata.licence, metadata.author
    found.outputs = [f"{model.tensors[i].name} {list(model.tensors[i].shape)}" for i in model.outputs]
    found.backend = "edgetpu" if _EDGE_TPU_OPERATOR in found.operators else "cpu"


def _check_operators(model: ModelFile) -> None:
    unknown = sorted({op.name for op in model.operators if op.custom} - KNOWN_CUSTOM - {_EDGE_TPU_OPERATOR})
    if not unknown:
        return
    if any(name.startswith("Flex") for name in unknown):
        raise ModelError(
            f"it needs TensorFlow's own operators ({', '.join(unknown)}), which the small runtime does not have. "
            "Convert it again with TFLITE_BUILTINS alone (no SELECT_TF_OPS)"
        )
    raise ModelError(
        f"unknown custom operators: {', '.join(name or '(without a name)' for name in unknown)}. The runtime has no "
        "code for them; export the model with builtin operators alone"
    )


def _try(found: Inspection, trial: Trial | None, model: ModelFile) -> TrialRun | None:
    """The trial run. An Edge TPU file is tried on the Edge TPU."""
    if trial is None:
        if found.backend == "cpu":
            found.notes.append("not run: recognised by its graph alone")
        return None
    if found.backend == "edgetpu":
        return _try_on_edge_tpu(found, trial, model)
    run = trial.run(found.path)
    found.runtime = f"{run.runtime} {run.version}".strip()
    return run


def _try_on_edge_tpu(found: Inspection, trial: Trial, model: ModelFile) -> TrialRun:
    try:
        run = trial.run(found.path, library=EDGE_TPU_LIBRARY)
    except ModelError as error:
        found.family = _family_by_graph(found, model)
        raise ModelError(
            f"compiled for the Edge TPU (operator {_EDGE_TPU_OPERATOR}), and no Edge TPU works here: {error}. Use the "
            "CPU file of the same model (usually the name without _edgetpu), or plug in a Coral and install libedgetpu"
        ) from error
    found.runtime = f"{run.runtime} {run.version} with {EDGE_TPU_LIBRARY}"
    return run


def _family_by_graph(found: Inspection, model: ModelFile) -> Family | None:
    """What the file would be where it could run; None if the graph alone does not tell."""
    try:
        size = check_input(model)
        views = view_outputs(model, None)
        family = recognise(Evidence(model, Graph(model), read_metadata(model), views, size.width, size.height)).family
    except ModelError:
        return None
    found.input = layout_input(model, family, read_metadata(model))
    return family


def _check_outputs(recognition: Recognition, evidence: Evidence) -> None:
    views = tuple(evidence.outputs[position] for position in recognition.outputs.values())
    if recognition.family is not Family.SSD_POSTPROCESS:  # its classes and count may be whole numbers
        check_numbers(views)
    if recognition.family not in _MAY_BE_EMPTY:
        check_alive(views)
    for role in ("scores", "output"):
        if role in recognition.outputs:
            check_resolution(evidence, evidence.outputs[recognition.outputs[role]], kind=recognition.score_kind)


def _label(found: Inspection, recognition: Recognition, metadata: Metadata, hints: Hints) -> int:
    """Find the labels; returns the number of classes."""
    labels, origin = hints.labels or metadata.labels, hints.labels_from if hints.labels else metadata.labels_from
    classes = recognition.classes
    if labels:
        classes = len(without_background(labels)) if classes is None else classes
        found.labels, found.labels_from = fit_labels(labels, classes, origin=origin), origin
        return classes
    if classes is None:
        classes = 80 if recognition.family is Family.YOLO_END2END else 90
        found.notes.append(f"the outputs do not show the number of classes: {classes} (COCO) assumed; see --labels")
    if classes > MAX_LABELS:  # a kilobyte can claim millions, each of which would get a name here
        raise ModelError(f"expected at most {MAX_LABELS} classes, found {classes}; the file is damaged")
    if recognition.family is Family.BLAZEFACE:
        found.labels, found.labels_from = ("face",), "the family"
        return classes
    found.labels, known = known_labels(classes)
    if found.labels:
        found.labels_from = known
        found.notes.append(f"no labels in the file: {known} assumed because it has {classes} classes; see --labels")
        return classes
    found.labels = tuple(f"class-{number}" for number in range(classes))
    found.labels_from = "numbers"
    found.notes.append(f"no labels in the file: its {classes} classes are called class-0 and so on; see --labels")
    return classes


def _layout(
    found: Inspection, taken: InputLayout, recognition: Recognition, outputs: tuple[OutputView, ...], classes: int
) -> ModelLayout:
    """The recognition in the house's own terms."""
    return ModelLayout(
        family=recognition.family,
        backend=found.backend,
        input=taken,
        outputs={role: outputs[position].layout() for role, position in recognition.outputs.items()},
        classes=classes,
        box_units="pixels" if recognition.box_units == "pixels" else "normalised",
        score_kind="logit" if recognition.score_kind == "logit" else "probability",
        background=recognition.background,
        grid="raw" if recognition.grid == "raw" else "decoded",
        transposed=recognition.transposed,
        strides=recognition.strides,
        anchors=recognition.anchors,
        nms_iou=_NMS_IOU.get(recognition.family, _DEFAULT_NMS_IOU),
    )
