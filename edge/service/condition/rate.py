"""Whether a camera gives as many frames as it used to."""

from __future__ import annotations

from edge.service.condition.hold import Hold
from edge.service.condition.trouble import Trouble
from edge.service.condition.usual import Usual

_WINDOW_S = 2.0
_ON_S = 4.0
_OFF_S = 4.0
_KNOWN_S = 20.0
_LEARN_S = 1800.0
# A webcam quarters its rate for longer exposures at night; a fifth is a fault. Asked for, half is a broken promise.
_LEAST_OF_USUAL = 0.2
_LEAST_OF_ASKED = 0.5
_MOST = 3.0
_FEW = 0.5  # frames per second: below, a window of two seconds says nothing


class RateJudge:
    """Counts frames in windows of two seconds.

    Parameters
    ----------
    asked : frames per second of the configuration; None = what the camera usually gives
    """

    def __init__(self, asked: float | None = None) -> None:
        self._asked = asked
        self._usual = Usual(_LEARN_S)
        self._slow = Hold(_ON_S, _OFF_S)
        self._burst = Hold(_ON_S, _OFF_S)
        self._frames = 0
        self._since_s: float | None = None

    @property
    def usual(self) -> float | None:
        """Frames per second; None before they are known."""
        return self._usual.value if self._usual.seen_s >= _KNOWN_S / _WINDOW_S else self._asked

    def frame(self, now_s: float) -> frozenset[Trouble]:
        """A frame has come; what is wrong now."""
        self._frames += 1
        return self.look(now_s)

    def look(self, now_s: float) -> frozenset[Trouble]:
        """Time has passed, with or without frames; what is wrong now."""
        if self._since_s is None:
            self._since_s, self._frames = now_s, 0
        elif now_s - self._since_s >= _WINDOW_S:
            rate = self._frames / (now_s - self._since_s)
            self._since_s, self._frames = now_s, 0
            self._judge(rate, now_s)
        found = {Trouble.SLOW: self._slow.is_on, Trouble.BURST: self._burst.is_on}
        return frozenset(trouble for trouble, holds in found.items() if holds)

    def restart(self) -> None:
        """The camera was away: the pause between says nothing about its rate."""
        self._since_s = None
        self._slow.reset()
        self._burst.reset()

    def _judge(self, rate: float, now_s: float) -> None:
        usual = self._asked or self.usual
        if usual is None or usual <= _FEW:
            self._usual.learn(rate, now_s)
            return
        least = _LEAST_OF_USUAL if self._asked is None else _LEAST_OF_ASKED
        self._slow.see(rate < least * usual, now_s)
        self._burst.see(rate > _MOST * usual, now_s)
        if not (self._slow.is_on or self._slow.is_doubted or self._burst.is_on or self._burst.is_doubted):
            self._usual.learn(rate, now_s)
