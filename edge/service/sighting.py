"""An answer of the model's process, read."""

from __future__ import annotations

import numpy as np

from edge.core.values import Detections, FrameFacts, ModelRef, Sighting, StageTimes
from edge.service.infer_letters import Found, Ready


def sighting(frame: FrameFacts, found: Found, by: Ready | None, class_ids: tuple[int, ...] | None) -> Sighting:
    """What was found in a frame.

    Parameters
    ----------
    by : what the process has said of itself, which is the first thing that it says
    class_ids : the class here of each of the model's, where their lists differ; -1 = there is none
    """
    if by is None:
        raise ValueError("an answer before the first word")
    detections = Detections(
        np.frombuffer(found.boxes, np.float32).reshape(-1, 4),
        np.frombuffer(found.scores, np.float32),
        np.frombuffer(found.class_ids, np.int32),
    )
    if class_ids is not None:
        detections = _as_classes(detections, class_ids)
    return Sighting(frame, detections, StageTimes(*found.times), ModelRef(by.model, by.sha256), by.backend)


def _as_classes(detections: Detections, class_ids: tuple[int, ...]) -> Detections:
    """The same in the classes of another list; those that it lacks are left out."""
    found = np.asarray(class_ids, np.int32)[detections.class_ids]
    return Detections(detections.boxes, detections.scores, found).select(found >= 0)
