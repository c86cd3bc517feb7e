"""The model on the CPU: tested, and exchanged for the last good one when it ends its process again and again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from edge.service.checkup import Checkup
from edge.service.fault import RAVING
from edge.service.news import ROLLED_BACK, BackendNews
from edge.service.relapses import Relapses
from edge.service.staff import Brain, Staff, Version

logger = logging.getLogger(__name__)

_PROVEN_NS = 60 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Experience:
    """What is done with what was learnt of a model.

    proven : it has run well for a minute
    relapsed : it crashed the third time within a minute, or never ran; returns another to run in its place, or None
    """

    proven: Callable[[], None] = lambda: None
    relapsed: Callable[[], Version | None] = lambda: None


class OnCpu:
    """All methods belong to one thread.

    brain : None while it is not needed
    """

    def __init__(self, version: Version, experience: Experience, staff: Staff) -> None:
        self._version = version
        self._experience = experience
        self._staff = staff
        self._relapses = Relapses()
        self._crashes_seen = 0
        self._is_proven = False
        self._has_run = False
        self._is_rolled_back = False
        self.brain: Brain | None = None

    @property
    def checkup(self) -> Checkup:
        return self._version.checkup

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes for health."""
        found = {
            ROLLED_BACK: self._is_rolled_back,
            "model_garbage": self.checkup.fault is not None,
            "boxes_rejected": self.brain is not None and self.brain.raving >= RAVING,
        }
        return tuple(code for code, holds in found.items() if holds)

    def tend(self, now_ns: int) -> BackendNews | None:
        """Have its process run; what has changed."""
        if self.brain is None:
            self.brain = self._staff.hire(self._version)
            if self._has_run:
                self.brain.trust()
        self._has_run |= self.brain.ready is not None
        self.brain.tend()
        news = self._count_crashes(self.brain, now_ns)
        if news is None:
            self._test(self.brain, now_ns)
        return news

    def rest(self) -> None:
        """It is not needed for now."""
        if self.brain is not None:
            self._staff.dismiss(self.brain)
        self.brain, self._crashes_seen = None, 0

    def _count_crashes(self, brain: Brain, now_ns: int) -> BackendNews | None:
        crashes, self._crashes_seen = brain.restarts - self._crashes_seen, brain.restarts
        is_relapse = brain.error is not None
        for _ in range(crashes):
            self.checkup.begin()
            is_relapse |= self._relapses.add(now_ns)
        other = self._experience.relapsed() if is_relapse else None
        if other is None:
            return None
        self.rest()
        self._relapses.forget()
        self._version, self._is_rolled_back = other, True
        return BackendNews(is_accelerated=False, reason=ROLLED_BACK, words="the last good model runs")

    def _test(self, brain: Brain, now_ns: int) -> None:
        tested = brain.take_tested()
        if brain.ready is None:
            return
        was_well = self.checkup.fault is None
        if tested is not None and self.checkup.judge(tested, brain.ready, now_ns) is not None and was_well:
            logger.error("the model's self-test failed: %s; starting its process anew", self.checkup.fault)
            self.rest()
            return
        if not self._is_proven and self.checkup.is_well_for(_PROVEN_NS, now_ns):
            self._is_proven = True
            self._experience.proven()
        if self.checkup.is_due(now_ns):
            self.checkup.send(brain.test, brain.ready, now_ns)
