"""A model to a detector that can run: runtime, accelerator, decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.core.clock import SystemClock
from edge.core.errors import ModelError
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.infer.decoding import make_decoder
from edge.infer.delegate import open_edgetpu
from edge.infer.detector import Detector
from edge.infer.interpreter import LiteInterpreter, open_interpreter
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
    clock: Clock | None = None,
) -> Detector:
    """Load a model, ready to run.

    Parameters
    ----------
    accelerator : "cpu"; "edgetpu", "edgetpu:usb" or "edgetpu:pci"; "auto" = what the model is compiled for
    threads : CPU threads of one run
    threshold : None = the card's
    nms_iou : None = the layout's
    max_boxes, multi_label : see `edge.infer.decoding.make_decoder`

    Raises
    ------
    ModelError
        If the file is missing, changed, or not for this accelerator.
    MissingLibraryError
        If the runtime or the accelerator's library does not work here.
    """
    runtime = load_runtime()
    delegate = _open_delegate(model, accelerator, runtime)
    interpreter = open_interpreter(model, runtime, threads=threads, delegate=delegate)
    decoder = make_decoder(
        model.layout,
        threshold=model.threshold if threshold is None else threshold,
        nms_iou=nms_iou,
        max_boxes=max_boxes,
        multi_label=multi_label,
        anchors=_constant_anchors(model, interpreter),
    )
    return Detector(model, interpreter, decoder=decoder, clock=clock or SystemClock())
