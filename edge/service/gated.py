"""The motion gate where one thread does all: what the model found last holds while nothing moves."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.glance import Glance
from edge.core.values import Frame, Sighting
from edge.service.condition.sight import SightSettings
from edge.service.lookout import Lookout, LookoutSettings, Verdict

# A recording may stand still as long as it likes, and has no lens that could be wiped.
_RECORDING = LookoutSettings(SightSettings(frozen_s=None, lens=False, is_live=False), has_gate=True)


class GatedLook:
    """Has the model look at the frames of one recording that ask for it, as the service does.

    Parameters
    ----------
    see : what the model makes of a frame
    glance : the cheap look, at every frame
    """

    def __init__(self, see: Callable[[Frame], Sighting], glance: Callable[[Frame], Glance]) -> None:
        self._see = see
        self._glance = glance
        self._lookout = Lookout(_RECORDING)

    def see(self, frame: Frame) -> Sighting:
        """What is there: found now, or held from before."""
        if self._lookout.judge(frame.facts, self._glance(frame)) is not Verdict.LOOK:
            held = self._lookout.hold(frame.facts)
            if held is not None:
                return held
        self._lookout.look_begins()
        seen = self._see(frame)
        self._lookout.look_ends(seen)
        return seen
