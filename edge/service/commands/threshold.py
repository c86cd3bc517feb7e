"""``threshold``: from which score on a label counts at a camera."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from edge.service.commands.overrides import Overrides
from edge.service.commands.request import CameraName, LabelName, RefusedError, Request

# Far below what any model means; a lower score would let so much through that all cameras become slow.
LOWEST = 0.05

Threshold = Annotated[float, msgspec.Meta(ge=LOWEST, le=1.0)]
Tune = Callable[[str, Mapping[str, float]], None]


class ThresholdRequest(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """threshold : None takes the change back: the configuration file's value is in force again"""

    camera: CameraName
    label: LabelName
    threshold: Threshold | None


class ThresholdCommand:
    """Changes what counts from the next frame on; tracks that are there go on.

    Parameters
    ----------
    labels : camera -> labels that may have a threshold
    tune : puts a camera's changed thresholds in force
    """

    name = "threshold"
    request = ThresholdRequest

    def __init__(self, labels: Mapping[str, frozenset[str]], overrides: Overrides, tune: Tune) -> None:
        self._labels = labels
        self._overrides = overrides
        self._tune = tune

    def run(self, request: ThresholdRequest) -> dict[str, Any]:
        if request.camera not in self._labels:
            raise RefusedError(f"there is no camera {request.camera}; there are {', '.join(self._labels)}")
        if request.label not in self._labels[request.camera]:
            raise RefusedError(f"camera {request.camera} knows no label {request.label!r}")
        before = self._overrides.of(request.camera)
        thresholds = {label: score for label, score in before.thresholds.items() if label != request.label}
        if request.threshold is not None:
            thresholds[request.label] = request.threshold
        self._overrides.put(request.camera, msgspec.structs.replace(before, thresholds=thresholds))
        self._tune(request.camera, thresholds)
        return {"camera": request.camera, "label": request.label, "threshold": request.threshold}
