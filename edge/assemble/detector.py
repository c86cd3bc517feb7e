"""A model to a detector that can run: runtime, accelerator, decoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge.assemble.model import edgetpu_device
from edge.catalog.raw_boxes import cut_postprocess
from edge.core.clock import SystemClock
from edge.core.errors import ModelError
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.infer.decoding import make_decoder
from edge.infer.delegate import open_edgetpu
from edge.infer.detector import Detector
from edge.infer.interpreter import LiteInterpreter, open_interpreter, read_model_file
from edge.infer.runtime import Runtime, load_runtime

_ANCHOR_SIZE = 4  # centre y, centre x, height, width


def open_detector(
    model: Model,
    *,
    accelerator: str = "auto",
    threads: int = 2,
    threshold: float | None = None,
    nms_iou: float | None = None,
    max_boxes: int = 300,
    multi_label: bool = False,
    boxes: Literal["graph", "raw"] = "graph",
    clock: Clock | None = None,
    runtime: Runtime | None = None,
) -> Detector:
    """Load a model, ready to run.

    Parameters
    ----------
    accelerator : "cpu"; "edgetpu", "edgetpu:usb" or "edgetpu:pci"; "auto" = what the model is compiled for
    threads : CPU threads of one run
    threshold : None = the card's
    nms_iou : None = the layout's
    max_boxes, multi_label : see `edge.infer.decoding.make_decoder`
    boxes : "raw" = read an SSD before the post-processing in its graph, which keeps few boxes
    runtime : None = the one that is installed

    Raises
    ------
    ModelError
        If the file is missing, changed, or not for this accelerator.
    MissingLibraryError
        If the runtime or the accelerator's library does not work here.
    """
    runtime = runtime or load_runtime()
    delegate = _open_delegate(model, accelerator, runtime)
    content = None
    if boxes == "raw":
        cut = cut_postprocess(model, read_model_file(model.path, sha256=model.sha256))
        model, content = replace(model, layout=cut.layout), cut.content
    interpreter = open_interpreter(model, runtime, threads=threads, delegate=delegate, content=content)
    decoder = make_decoder(
        model.layout,
        threshold=model.threshold if threshold is None else threshold,
        nms_iou=nms_iou,
        max_boxes=max_boxes,
        multi_label=multi_label,
        anchors=_constant_anchors(model, interpreter),
    )
    return Detector(model, interpreter, decoder=decoder, clock=clock or SystemClock())


def change_threshold(detector: Detector, threshold: float) -> None:
    """Let everything from another score on through, from the next frame on."""
    model, interpreter = detector.model, detector.interpreter
    anchors = _constant_anchors(model, interpreter) if isinstance(interpreter, LiteInterpreter) else None
    detector.decode_with(make_decoder(model.layout, threshold=threshold, anchors=anchors))


def _open_delegate(model: Model, accelerator: str, runtime: Runtime) -> Any:
    """The Edge TPU for a model that is compiled for it; None = CPU."""
    device = edgetpu_device(accelerator)
    if model.layout.backend == "cpu":
        if device is not None:
            raise ModelError(
                f"{model.path}: expected a model compiled for the Edge TPU (accelerator {accelerator}), found one for "
                "the CPU; use its Edge TPU version, or set the accelerator to cpu"
            )
        return None
    if accelerator == "cpu":
        return None  # loading the model says what is wrong
    return open_edgetpu(runtime, device or "")


def _constant_anchors(model: Model, interpreter: LiteInterpreter) -> NDArray[np.float32] | None:
    """The prior boxes that a raw SSD's file holds; None where the decoder finds them elsewhere."""
    anchors = model.layout.anchors
    if anchors is None or anchors.kind != "constant" or anchors.tensor is None:
        return None
    values = interpreter.constant(anchors.tensor).real()
    if values.size % _ANCHOR_SIZE:
        raise ModelError(
            f"{model.path}: tensor {anchors.tensor} should hold anchors of {_ANCHOR_SIZE} numbers, its shape is "
            f"{values.shape}; inspect the model again (edge models inspect)"
        )
    return values.reshape(-1, _ANCHOR_SIZE)
