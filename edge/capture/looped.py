"""A recording that starts again at its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from edge.capture.settings import DEFAULT_FPS
from edge.capture.stepped import SteppedSource
from edge.core.errors import RecordingError
from edge.core.values import Frame


class LoopedSource(SteppedSource):
    """Plays a recording over and over; sequence and time go on as if it were one long recording.

    The first frame of a pass follows the last of the one before by the recording's last interval;
    for a recording of a single frame, where nothing says how long it lasts, by 1 / fps.
    """

    def __init__(self, source: SteppedSource, *, fps: float | None = None) -> None:
        self._source = source
        self._single_ns = round(1e9 / (fps or DEFAULT_FPS))
        self._period_ns = self._single_ns
        self._added_ns = self._added_sequence = 0
        self._steps = 0  # of this pass
        self._captured_ns = self._first_ns = 0
        self._last_sequence = -1
        self._first_at: datetime | None = None

    def open(self) -> None:
        self._source.open()
        self._period_ns = self._single_ns
        self._added_ns = self._added_sequence = self._steps = 0
        self._last_sequence = -1
        self._first_at = None

    def step(self) -> int | None:
        captured_ns = self._source.step()
        if captured_ns is not None:
            captured_ns += self._added_ns
            if self._steps > 0:
                self._period_ns = captured_ns - self._captured_ns
        elif self._steps > 0:
            captured_ns = self._start_again()
        else:
            return None
        self._captured_ns = captured_ns
        self._steps += 1
        return captured_ns

    def picture(self) -> Frame | None:
        frame = self._source.picture()
        if frame is None:
            return None
        if self._first_at is None:
            self._first_at, self._first_ns = frame.captured_at, self._captured_ns
        self._last_sequence = frame.sequence + self._added_sequence
        captured_at = self._first_at + timedelta(microseconds=(self._captured_ns - self._first_ns) / 1000)
        return replace(frame, sequence=self._last_sequence, captured_ns=self._captured_ns, captured_at=captured_at)

    def close(self) -> None:
        self._source.close()

    def _start_again(self) -> int:
        self._source.close()
        self._source.open()
        first_ns = self._source.step()
        if first_ns is None:
            raise RecordingError("a recording to be repeated has no frames the second time; did it change?")
        captured_ns = self._captured_ns + self._period_ns
        # Steps count frames that were passed over, the last sequence counts pictures that could not be read.
        self._added_sequence = max(self._last_sequence + 1, self._added_sequence + self._steps)
        self._added_ns = captured_ns - first_ns
        self._steps = 0
        return captured_ns
