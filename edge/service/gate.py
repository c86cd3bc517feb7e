"""Whether the model is to look at a frame, or what it found last still holds."""

from __future__ import annotations

from edge.core.glance import Glance


class MotionGate:
    """One camera's. What the frames ask for is decided where their pictures are; here it is seen to.

    A frame that asks may be overtaken by a newer one before the model is free; the wish then goes over to that, until
    ``looked`` says that one was looked at.

    held, asked : frames since the start that were spared, and that were not
    """

    def __init__(self, *, is_on: bool = True) -> None:
        self.is_on = is_on
        self._is_owed = True
        self.held = 0
        self.asked = 0

    @property
    def saved(self) -> float | None:
        """Part of the frames, 0..1, that needed no run of the model; None before the first frame."""
        frames = self.held + self.asked
        return self.held / frames if frames else None

    def wants(self, glance: Glance | None) -> bool:
        """Whether the model is to look at this frame; what is not known to be still is looked at."""
        self._is_owed |= glance is None or glance.asks or not self.is_on
        if self._is_owed:
            self.asked += 1
        else:
            self.held += 1
        return self._is_owed

    def looked(self) -> None:
        """The model was given a frame."""
        self._is_owed = False

    def missed(self) -> None:
        """Nothing came of it, or the camera was away: the next frame is wanted."""
        self._is_owed = True

    def switch(self, is_on: bool) -> None:
        self.is_on = is_on
