"""A recording through the pipeline in one thread, on a clock that the recording itself moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge.core.clock import HandClock
from edge.core.protocols import FrameSource
from edge.core.values import Frame, Message, Sighting
from edge.service.pipeline import Pipeline


class Replay:
    """The same recording, configuration and machine give the same messages, byte for byte.

    see : what the model makes of a frame
    frames : looked at so far
    """

    def __init__(
        self, source: FrameSource, see: Callable[[Frame], Sighting], pipeline: Pipeline, clock: HandClock
    ) -> None:
        self._source = source
        self._see = see
        self._pipeline = pipeline
        self._clock = clock
        self.frames = 0

    def messages(self) -> Iterator[Message]:
        """All that is said about the recording, in order; raises RecordingError when it can't be read."""
        try:
            self._source.open()
            while (frame := self._source.read()) is not None:
                # time passes between frames and never within one: no latency depends on the machine
                self._clock.advance(max(0, frame.captured_ns - self._clock.monotonic_ns()) / 1e9)
                yield from self._pipeline.process(self._see(frame))
                self.frames += 1
        finally:
            self._source.close()
        yield from self._pipeline.finish()
