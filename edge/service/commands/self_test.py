"""``self-test``: is the model still what it was when the service started?"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.core.protocols import Clock
from edge.core.values import Detections, Frame, StageTimes
from edge.service.commands.request import RefusedError, Request

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDTH, _HEIGHT = 320, 240
# Quantised models give the same bits each time; floating point may differ in the last ones with the threads' order.
_TOLERANCE = 1e-3


class Detector(Protocol):
    times: StageTimes

    def detect(self, frame: Frame) -> Detections: ...

    def fingerprint(self, frame: Frame) -> tuple[float, ...]: ...


class SelfTestRequest(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing to say."""


class SelfTestCommand:
    """Runs the model on a picture that is always the same, and compares its numbers with those at the start.

    Parameters
    ----------
    detector : called by the thread that runs the command
    cameras : their states, for the answer
    """

    name = "self-test"
    request = SelfTestRequest

    def __init__(self, detector: Detector, clock: Clock, cameras: Callable[[], dict[str, str]]) -> None:
        self._detector = detector
        self._cameras = cameras
        self._frame = Frame(_picture(), "self-test", 0, clock.monotonic_ns(), _EPOCH)
        self._expected = detector.fingerprint(self._frame)

    def run(self, request: SelfTestRequest) -> dict[str, Any]:  # noqa: ARG002
        try:
            numbers = self._detector.fingerprint(self._frame)
            found = self._detector.detect(self._frame)
        except Exception as error:
            raise RefusedError(f"the model does not run: {str(error)[:200]}") from error
        fault = _fault(found) or self._difference(numbers)
        if fault is not None:
            raise RefusedError(f"{fault}; restart edge, and look at the accelerator and the power supply")
        return {"inference_ms": round(self._detector.times.infer, 1), "cameras": self._cameras()}

    def _difference(self, numbers: tuple[float, ...]) -> str | None:
        alike = len(numbers) == len(self._expected) and all(
            math.isclose(now, before, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
            for now, before in zip(numbers, self._expected, strict=True)
        )
        return None if alike else "the model's numbers for the test picture are not those of the start"


def _fault(found: Detections) -> str | None:
    if not (np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()):
        return "the model's answer holds numbers that are none"
    if len(found) and not (found.scores.min() >= 0.0 and found.scores.max() <= 1.0):
        return "the model's answer holds scores outside 0 to 1"
    return None


def _picture() -> NDArray[np.uint8]:
    """Rings and edges of many sizes and colours: something for every layer, the same on every machine."""
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.int64)
    rings = ((x - 160) ** 2 + (y - 120) ** 2) // 97
    blocks = (x // 24 + y // 18) * 37
    image = np.stack([rings % 256, (blocks + x) % 256, (rings + blocks * 3) % 256], axis=-1)
    return np.ascontiguousarray(image.astype(np.uint8))
