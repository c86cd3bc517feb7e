"""What the device promises of itself, and whether it keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# A camera that is asked for 10 frames a second gives 9.97 and 10.03.
_TOLERANCE = 0.95


@dataclass(frozen=True, slots=True)
class Contract:
    """None = nothing is promised.

    min_fps : frames per second of each camera that is on, whether the model looked or what it found last was held
    alert_latency_p95_ms : from a frame's capture to the event made of it, for 95 of 100
    """

    min_fps: float | None = None
    alert_latency_p95_ms: float | None = None

    def broken(self, *, fps: Mapping[str, float], latency_p95_ms: float | None) -> tuple[str, ...]:
        """The promises that are not kept; what is not known yet counts as kept.

        Parameters
        ----------
        fps : of the cameras that are on
        """
        found = {
            "min_fps": self.min_fps is not None and any(rate < self.min_fps * _TOLERANCE for rate in fps.values()),
            "alert_latency_p95_ms": (
                self.alert_latency_p95_ms is not None
                and latency_p95_ms is not None
                and latency_p95_ms > self.alert_latency_p95_ms
            ),
        }
        return tuple(promise for promise, is_broken in found.items() if is_broken)

    def least_rate(self, rate: float, usual_fps: float) -> float:
        """Frames per second at a part of the usual rate, but never less than promised (nor more than usual)."""
        return min(usual_fps, max(rate * usual_fps, self.min_fps or 0.0))
