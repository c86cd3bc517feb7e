"""What becomes of a camera's frame before the model sees it, and what its frames say about the camera."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from edge.core.glance import Glance
from edge.core.values import FrameFacts, Sighting, StageTimes
from edge.service.condition.sight import Sight, SightSettings
from edge.service.condition.trouble import LENS, Trouble
from edge.service.gate import MotionGate
from edge.service.news import CameraState
from edge.service.pace import Pace


class Verdict(Enum):
    LOOK = "look"
    HOLD = "hold"  # nothing has moved: what was seen last holds
    FROZEN = "frame_frozen"  # the very same picture again and again shows nothing
    GOVERNED = "frame_governed"  # fewer frames are looked at, to spare the machine


@dataclass(frozen=True, slots=True)
class LookoutSettings:
    """sight : what is watched for; has_gate : whether the model rests while nothing moves"""

    sight: SightSettings = field(default_factory=SightSettings)
    has_gate: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What is to be known of a camera besides its state.

    troubles : reason codes, worst first
    spared : part of the frames, 0..1, that needed no look; None where all get one
    """

    troubles: tuple[str, ...] = ()
    spared: float | None = None


class Lookout:
    """One camera's. Its time is the frames' own."""

    def __init__(self, settings: LookoutSettings | None = None) -> None:
        self._settings = settings or LookoutSettings()
        self._sight = Sight(self._settings.sight)
        self._gate = MotionGate(is_on=self._settings.has_gate)
        self._pace = Pace()
        self._last: Sighting | None = None
        self._is_here = False
        self._away: str | None = None

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What is wrong with what the camera shows, worst first."""
        return self._sight.troubles

    @property
    def state(self) -> CameraState:
        """Of a camera that delivers frames."""
        troubles = self.troubles
        if Trouble.FROZEN in troubles:
            return CameraState.FROZEN
        return CameraState.IMPAIRED if LENS.intersection(troubles) else CameraState.ONLINE

    @property
    def condition(self) -> Condition:
        has_spared = self._settings.has_gate or self._gate.held > 0
        troubles = self.troubles if self._away is None else (self._away,)
        return Condition(troubles, self._gate.saved if has_spared else None)

    @property
    def is_gated(self) -> bool:
        """Whether the model may be spared a frame."""
        return self._gate.is_on

    @property
    def usual_fps(self) -> float | None:
        """Frames per second that the camera gives; None before that is known."""
        return self._sight.usual_fps

    def judge(self, frame: FrameFacts, glance: Glance | None) -> Verdict:
        """What is to become of a frame."""
        now_s = frame.captured_ns / 1e9
        if glance is not None:
            self._sight.see(glance, now_s)
        if self.state is CameraState.FROZEN:
            self._gate.missed()
            return Verdict.FROZEN
        if not self._pace.lets_through(now_s):
            return Verdict.GOVERNED
        return Verdict.LOOK if self._gate.wants(glance) else Verdict.HOLD

    def look_begins(self) -> None:
        """The model was given a frame."""
        self._gate.looked()

    def look_ends(self, seen: Sighting | None) -> None:
        """What came of it; None = nothing."""
        if seen is None:
            self._gate.missed()
        else:
            self._last = seen

    def hold(self, frame: FrameFacts) -> Sighting | None:
        """What was seen last, as seen in this frame; None where that would be wrong."""
        last = self._last
        if last is None or (last.frame.width, last.frame.height) != (frame.width, frame.height):
            self._gate.missed()
            return None
        return replace(last, frame=frame, times=StageTimes(), is_held=True)

    def hear(self, state: CameraState, reason: str | None = None) -> None:
        """The camera came, went or was switched off; ``reason`` : a code for why it went."""
        self._away = reason if state is CameraState.OFFLINE else None
        self.forget()
        if state is CameraState.DISABLED:
            self._sight.forget()
        elif state is not CameraState.ONLINE:
            self._sight.lose()
        self._is_here = state is CameraState.ONLINE

    def forget(self) -> None:
        """What was seen last holds no longer."""
        self._last = None
        self._gate.missed()

    def pass_time(self, now_s: float) -> None:
        """To be called now and then: frames that do not come say something too."""
        if self._is_here:
            self._sight.pass_time(now_s)

    def restrain(self, fps: float | None, *, has_gate: bool) -> None:
        """Look at so many frames a second at most, and at those alone that ask for it."""
        self._pace.change(fps)
        self._gate.switch(self._settings.has_gate or has_gate)
