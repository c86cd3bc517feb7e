"""A picture a person can open: the frame with the most in it, with the boxes the subscriber received."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.assemble.detector import open_detector
from edge.assemble.model import resolve_model
from edge.assemble.source import make_source, parse_camera_source
from edge.capture.pictures import write_picture
from edge.config.load import load_config
from edge.config.values import Config
from edge.core.clock import SystemClock
from edge.core.protocols import FrameSource
from edge.core.values import Detections, Frame, as_detections
from edge.report.drawing import draw_detections

_LIVE_FRAMES = 50  # a live camera can't go back: this many new frames are looked at for the best


def draw_best(configuration: Path, best: dict[str, Any] | None, target: Path) -> Path | None:
    """Write the picture; None when nothing was seen.

    A recording is read again up to the frame of the best message; a live camera is asked for new frames.
    """
    if best is None:
        return None
    config = load_config(configuration)
    camera = msgspec.structs.replace(config.cameras["demo"], pace="fast")
    source = make_source("demo", camera, config.folder, SystemClock())
    model = resolve_model(config)
    if parse_camera_source(camera, config.folder).is_live:
        frame, detections = _watch(source, config)
    else:
        frame, detections = _find(source, best["frame"]["sequence"]), None
    if frame is None:
        return None
    shown = detections or _told(best, frame)
    write_picture(target, draw_detections(frame.image, shown, model.labels))
    return target


def _find(source: FrameSource, sequence: int) -> Frame | None:
    source.open()
    try:
        while (frame := source.read()) is not None:
            if frame.sequence >= sequence:
                return frame
    finally:
        source.close()
    return None


def _watch(source: FrameSource, config: Config) -> tuple[Frame | None, Detections | None]:
    detector = open_detector(resolve_model(config), accelerator=config.accelerator)
    best: tuple[Frame | None, Detections | None] = (None, None)
    source.open()
    try:
        for _ in range(_LIVE_FRAMES):
            frame = source.read()
            if frame is None:
                break
            detections = detector.detect(frame)
            if best[1] is None or detections.scores.sum() > best[1].scores.sum():
                best = (frame, detections)
    finally:
        source.close()
    return best


def _told(message: dict[str, Any], frame: Frame) -> Detections:
    """The boxes of a message, back in this frame's pixels."""
    size: NDArray[np.float64] = np.array([frame.width, frame.height] * 2, np.float64)
    seen = message["detections"]
    boxes = [list(np.array(each["box"]) * size) for each in seen]
    return as_detections(boxes, [each["score"] for each in seen], [each["class_id"] for each in seen])
