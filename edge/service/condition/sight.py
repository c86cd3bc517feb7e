"""One camera's condition: everything its frames say about it, as reason codes that come and go with hysteresis."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.glance import Glance
from edge.service.condition.lens import LensJudge
from edge.service.condition.mishaps import MishapJudge
from edge.service.condition.rate import RateJudge
from edge.service.condition.trouble import LENS, Trouble

_ORDER = {trouble: place for place, trouble in enumerate(Trouble)}
_LEAST_SAME = 3  # identical frames: a camera that gives one a second is not frozen after two
_FEATURELESS = 0.01  # contrast below which a picture may be the same twice without being frozen: black, white, fog


@dataclass(frozen=True, slots=True)
class SightSettings:
    """What is watched for.

    frozen_s : how long the very same picture may come; None = for ever (recordings, made-up scenes)
    lens : whether black, over-exposed, covered and defocused pictures count
    is_live : whether the rate of the frames means anything
    fps : frames per second that were asked for; None = what the camera usually gives
    """

    frozen_s: float | None = None
    lens: bool = True
    is_live: bool = True
    fps: float | None = None

    @property
    def is_for_pictures(self) -> bool:
        """Whether what pictures show counts, besides when they come."""
        return self.lens or self.frozen_s is not None


class Sight:
    """Judges one camera's frames, in their order. Times are monotonic seconds of whoever calls."""

    def __init__(self, settings: SightSettings) -> None:
        self._settings = settings
        self._lens = LensJudge()
        self._rate = RateJudge(settings.fps)
        self._same = 0
        self._same_since_s = 0.0
        self._is_featureless = False
        self._has_moved = False
        self._last_s = 0.0
        self._mishaps = {Trouble.UNREADABLE: MishapJudge(), Trouble.MISDATED: MishapJudge()}
        self._lens_troubles: frozenset[Trouble] = frozenset()
        self._rate_troubles: frozenset[Trouble] = frozenset()

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What is wrong now, worst first."""
        found = set(self._lens_troubles | self._rate_troubles)
        found.update(trouble for trouble, judge in self._mishaps.items() if judge.is_on)
        if self._is_frozen:
            # what a still picture shows of the lens is old
            found = (found - LENS) | {Trouble.FROZEN}
        return tuple(sorted(found, key=_ORDER.__getitem__))

    @property
    def usual_fps(self) -> float | None:
        """Frames per second that the camera gives; None before that is known."""
        return self._rate.usual

    def see(self, glance: Glance, now_s: float) -> None:
        """A frame has come."""
        rate_troubles = self._rate.frame(now_s)
        self._rate_troubles = rate_troubles if self._settings.is_live else frozenset()
        self._count_same(glance, now_s)
        self._has_moved |= glance.moved
        if glance.lens is not None:
            self._is_featureless = glance.lens.contrast < _FEATURELESS
            if self._settings.lens:
                self._lens_troubles = self._lens.see(glance.lens, is_still=not self._has_moved, now_s=now_s)
            self._has_moved = False
        self._mishaps[Trouble.UNREADABLE].frame(glance.unreadable, now_s)
        self._mishaps[Trouble.MISDATED].frame(glance.misdated, now_s)

    def pass_time(self, now_s: float) -> None:
        """No frame, but time."""
        if self._settings.is_live:
            self._rate_troubles = self._rate.look(now_s)

    def lose(self) -> None:
        """The camera is away: its frames begin anew; what its lens usually shows is remembered."""
        self._same = 0
        self._rate.restart()
        self._rate_troubles = self._lens_troubles = frozenset()
        for judge in self._mishaps.values():
            judge.reset()

    def forget(self) -> None:
        """The camera was switched off: it may hang elsewhere when it comes back."""
        self.lose()
        self._lens = LensJudge()

    @property
    def _is_frozen(self) -> bool:
        limit_s = self._settings.frozen_s
        return limit_s is not None and self._same >= _LEAST_SAME and self._last_s - self._same_since_s >= limit_s

    def _count_same(self, glance: Glance, now_s: float) -> None:
        self._last_s = now_s
        if not glance.is_same or self._is_featureless:
            self._same, self._same_since_s = 0, now_s
        else:
            self._same += 1
