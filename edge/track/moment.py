"""When a frame was taken, by both clocks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from edge.core.values import FrameFacts

# More than the longest time a thing takes to be believed, at 30 frames a second.
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame's times. All durations are differences of ``captured_ns``; ``captured_at`` may step."""

    captured_ns: int
    captured_at: datetime
    sequence: int

    def seconds_since(self, earlier: Moment) -> float:
        return (self.captured_ns - earlier.captured_ns) * 1e-9


class Moments:
    """The newest frames' times, never running backwards."""

    def __init__(self) -> None:
        self._newest: deque[Moment] = deque(maxlen=_REMEMBERED)

    def add(self, frame: FrameFacts) -> Moment:
        """The moment of a frame; one from before the last counts as taken at the same time."""
        captured_ns = frame.captured_ns
        if self._newest:
            captured_ns = max(captured_ns, self._newest[-1].captured_ns)
        moment = Moment(captured_ns, frame.captured_at, frame.sequence)
        self._newest.append(moment)
        return moment

    @property
    def newest(self) -> Moment:
        """At least one frame was added."""
        return self._newest[-1]

    def at(self, captured_ns: int) -> Moment:
        """The first remembered moment that is not before ``captured_ns``; at least one frame was added."""
        found = self._newest[-1]
        for moment in reversed(self._newest):
            if moment.captured_ns < captured_ns:
                break
            found = moment
        return found
