"""A camera that comes and goes is one piece of news, not a hundred."""

from __future__ import annotations

from collections import deque

# Two comings and goings in a minute are news each; what follows is told as one, until it has been quiet for a minute.
_CHANGES = 4
_WITHIN_S = 60.0
_QUIET_S = 60.0


class Flapping:
    """Which changes of a camera are worth an event. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._changes: deque[float] = deque(maxlen=_CHANGES + 1)
        self.is_on = False

    def change(self, now_s: float) -> bool:
        """It came or went; whether that is told. The change that makes it flapping is not."""
        self.look(now_s)
        self._changes.append(now_s)
        recent = sum(now_s - each < _WITHIN_S for each in self._changes)
        self.is_on = self.is_on or recent > _CHANGES
        return not self.is_on

    def look(self, now_s: float) -> bool:
        """Whether it has just been quiet for long enough: how the camera is now is then to be told."""
        if not self.is_on or now_s - self._changes[-1] < _QUIET_S:
            return False
        self.is_on = False
        self._changes.clear()
        return True
