"""A recording played in real time."""

from __future__ import annotations

from edge.core.protocols import Clock, FrameSource
from edge.core.values import Frame


class PacedSource:
    """Gives every frame when it is due: a recording's ``captured_ns`` is its start plus its media time.

    A frame that is late already is given at once, none is left out: whoever reads decides what is too late.
    """

    def __init__(self, source: FrameSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock

    def open(self) -> None:
        self._source.open()

    def read(self) -> Frame | None:
        """Blocks until the frame is due."""
        frame = self._source.read()
        if frame is not None:
            wait_ns = frame.captured_ns - self._clock.monotonic_ns()
            if wait_ns > 0:
                self._clock.sleep(wait_ns / 1e9)
        return frame

    def close(self) -> None:
        self._source.close()
