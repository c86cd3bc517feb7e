"""The motion gate where one thread does all: what the model found last holds while nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.core.glance import Glance
from edge.core.values import Frame, Sighting
from edge.service.condition.sight import SightSettings
from edge.service.lookout import Lookout, LookoutSettings, Verdict

# A recording may stand still as long as it likes, and has no lens that could be wiped.
_RECORDING = SightSettings(frozen_s=None, lens=False, is_live=False)


class GatedLook:
    """Has the model look at the frames of one recording that ask for it, as the service does.

    Parameters
    ----------
    see : what the model makes of a frame
    glance : the cheap look, at every frame
    has_gate : whether frames are spared; else the look alone goes with each of them
    """

    def __init__(
        self, see: Callable[[Frame], Sighting], glance: Callable[[Frame], Glance], *, has_gate: bool = True
    ) -> None:
        self._see = see
        self._glance = glance
        self._lookout = Lookout(LookoutSettings(_RECORDING, has_gate=has_gate))

    def see(self, frame: Frame) -> Sighting:
        """What is there: found now, or held from before."""
        glance = self._glance(frame)
        if self._lookout.judge(frame.facts, glance) is not Verdict.LOOK:
            held = self._lookout.hold(frame.facts)
            if held is not None:
                return held
        self._lookout.look_begins()
        seen = self._see(replace(frame, moving=glance.moving) if glance.moving else frame)
        self._lookout.look_ends(seen)
        return seen
