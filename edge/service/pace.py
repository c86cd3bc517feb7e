"""At most so many frames a second, whatever the camera gives."""

from __future__ import annotations

_EARLY = 0.25  # of the period: a camera that jitters around the asked rate would be halved otherwise


class Pace:
    """Lets frames through at a mean rate; None lets all through. Times are monotonic seconds."""

    def __init__(self, fps: float | None = None) -> None:
        self._fps = fps
        self._due_s: float | None = None

    @property
    def fps(self) -> float | None:
        return self._fps

    def change(self, fps: float | None) -> None:
        """From the next frame on."""
        if fps != self._fps:
            self._fps, self._due_s = fps, None

    def lets_through(self, now_s: float) -> bool:
        """Whether a frame of this time is one of them."""
        if self._fps is None:
            return True
        period_s = 1.0 / self._fps
        if self._due_s is not None and now_s < self._due_s - period_s * _EARLY:
            return False
        # After a gap the plan starts afresh: missed frames are not made up for.
        is_late = self._due_s is None or now_s - self._due_s > period_s
        self._due_s = (now_s if is_late else self._due_s or now_s) + period_s
        return True
