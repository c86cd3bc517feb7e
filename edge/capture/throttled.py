"""At most so many frames a second."""

from __future__ import annotations

from edge.capture.stepped import SteppedSource
from edge.core.errors import ConfigError
from edge.core.values import Frame

# A frame may come early by this part of the asked period: a camera that jitters around it would be halved otherwise.
# And by no more than half the source's own interval: then the next frame lies nearer to what is due.
_EARLY = 0.25


class ThrottledSource:
    """Gives at most ``fps`` frames per second of the source's own time; the pictures of the others are never made.

    The mean rate is kept exactly: 25 frames/s throttled to 10 gives the frames at 0, 80, 200, 280, 400 ms, ...
    """

    def __init__(self, source: SteppedSource, fps: float) -> None:
        if not fps > 0:
            raise ConfigError(f"fps: expected a number above 0, found {fps}")
        self._source = source
        self._period_ns = round(1e9 / fps)
        self._due_ns: int | None = None
        self._last_ns: int | None = None
        self._skipped = 0

    @property
    def skipped(self) -> int:
        """Frames passed over since the source was made."""
        return self._skipped

    def open(self) -> None:
        self._source.open()
        self._due_ns = self._last_ns = None

    def read(self) -> Frame | None:
        while (captured_ns := self._source.step()) is not None:
            if not self._is_due(captured_ns):
                self._skipped += 1
                continue
            frame = self._source.picture()
            if frame is not None:
                self._plan_next(captured_ns)
                return frame
        return None

    def close(self) -> None:
        self._source.close()

    def _is_due(self, captured_ns: int) -> bool:
        interval_ns = 0 if self._last_ns is None else captured_ns - self._last_ns
        self._last_ns = captured_ns
        early_ns = min(self._period_ns * _EARLY, interval_ns / 2)
        return self._due_ns is None or captured_ns >= self._due_ns - early_ns

    def _plan_next(self, captured_ns: int) -> None:
        due_ns = captured_ns if self._due_ns is None else self._due_ns
        # After a gap the plan starts afresh: missed frames are not made up for.
        late = captured_ns - due_ns > self._period_ns
        self._due_ns = (captured_ns if late else due_ns) + self._period_ns
