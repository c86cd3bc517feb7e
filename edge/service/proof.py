"""What the model makes of a picture that is always the same: run where the model runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.core.protocols import Clock
from edge.core.values import Detections, Frame, StageTimes
from edge.service.infer_letters import Tested

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDTH, _HEIGHT = 320, 240


class Detector(Protocol):
    """What is needed of ``edge.infer``."""

    def look(self, frame: Frame) -> tuple[Detections, StageTimes]: ...

    def fingerprint(self, frame: Frame) -> tuple[float, ...]: ...


def prove(detector: Detector, clock: Clock) -> Tested:
    """Run the model on the test picture; never raises."""
    frame = Frame(_picture(), "self-test", 0, clock.monotonic_ns(), _EPOCH)
    try:
        numbers = detector.fingerprint(frame)
        found, times = detector.look(frame)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer
        return Tested(fault=f"the model does not run: {str(error)[:200]}")
    return Tested(numbers, times.infer, _fault(found))


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
