"""When a frame was taken, by both clocks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from edge.core.values import FrameFacts

# A gap is blindness, and not a slow camera, when it is so long and so many times what the last two were.
_BLIND_S = 3.0
_LATE = 3.0
_PACE_OF = 2
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
    """The newest frames' times, never running backwards.

    is_after_blindness : nobody looked for a while before the newest frame: the camera or the model stood still
    """

    def __init__(self) -> None:
        self._newest: deque[Moment] = deque(maxlen=_REMEMBERED)
        self._gaps_s: deque[float] = deque(maxlen=_PACE_OF)
        self.is_after_blindness = False

    def add(self, frame: FrameFacts) -> Moment:
        """The moment of a frame; one from before the last counts as taken at the same time."""
        captured_ns = frame.captured_ns
        if self._newest:
            captured_ns = max(captured_ns, self._newest[-1].captured_ns)
            self._judge_gap((captured_ns - self._newest[-1].captured_ns) * 1e-9)
        moment = Moment(captured_ns, frame.captured_at, frame.sequence)
        self._newest.append(moment)
        return moment

    def _judge_gap(self, gap_s: float) -> None:
        self.is_after_blindness = gap_s > max(_BLIND_S, _LATE * max(self._gaps_s, default=0.0))
        self._gaps_s.append(gap_s)

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
