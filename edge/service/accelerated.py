"""The accelerator: at work while it is well, left at the first fault, tried again when its breaker says so."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.service.breaker import Breaker, Trust
from edge.service.checkup import Checkup
from edge.service.fault import RAVING, Fault, FaultKind
from edge.service.news import BackendNews
from edge.service.staff import Brain, Staff, Version

logger = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000
# Starting Python, the runtime and a model takes a Raspberry Pi 2 s or more: begun at the first doubt, it is done when
# the deadline is over.
_DOUBT_S = 0.5
_SLOW_START_S = 3.0  # an Edge TPU on USB takes as long to load its firmware
_TEST_S = 10.0  # the first self-test runs the CPU's version beside the accelerator's


class Accelerated:
    """All methods belong to one thread.

    brain : None while it is left alone
    fault : why it does not work; None = it does, or nobody misses it
    is_proven : a self-test was good since it works
    """

    def __init__(
        self, version: Version, breaker: Breaker, staff: Staff, *, is_worth_a_try: Callable[[], bool], now_ns: int
    ) -> None:
        """
        Parameters
        ----------
        is_worth_a_try : whether a device may be there, asked before a process is started
        """
        self._version = version
        self._breaker = breaker
        self._staff = staff
        self._is_worth_a_try = is_worth_a_try
        self._since_ns = 0
        self.brain: Brain | None = None
        self.fault: Fault | None = None
        self.is_proven = False
        if is_worth_a_try():
            self._start(now_ns)
        else:
            breaker.fail(now_ns)

    @property
    def trust(self) -> Trust:
        return self._breaker.trust

    @property
    def is_at_work(self) -> bool:
        return self._breaker.trust is Trust.IN_USE

    @property
    def checkup(self) -> Checkup:
        return self._version.checkup

    def tend(self, now_ns: int) -> BackendNews | None:
        """Try, test and leave it, as the time comes; what has changed."""
        if self._breaker.is_try_due(now_ns):
            self._try(now_ns)
        brain = self.brain
        if brain is None:
            return None
        brain.tend()
        fault = brain.fault or self._nonsense(brain, now_ns)
        if fault is not None:
            return self._leave(brain, fault, now_ns)
        return self._test(brain, now_ns)

    def is_doubtful(self, now_ns: int) -> bool:
        """Whether it is slower than it should be: somebody else may be needed soon."""
        brain = self.brain
        if brain is None or brain.ready is None:
            return now_ns - self._since_ns >= _SLOW_START_S * _NS_PER_S
        return brain.waits_s >= _DOUBT_S

    def _start(self, now_ns: int) -> None:
        self.brain = self._staff.hire(self._version)
        self._since_ns = now_ns

    def _try(self, now_ns: int) -> None:
        if not self._is_worth_a_try():
            self._breaker.fail(now_ns)
            return
        self._breaker.begin_trial(now_ns)
        self._start(now_ns)

    def _nonsense(self, brain: Brain, now_ns: int) -> Fault | None:
        """What its answers say against it, or their absence."""
        if brain.raving >= RAVING:
            return Fault(FaultKind.GARBAGE, f"{RAVING} frames in a row held nothing but boxes that are none")
        if self.checkup.waits_s(now_ns) >= _TEST_S:
            return Fault(FaultKind.HUNG, "did not come back from its self-test")
        return None

    def _test(self, brain: Brain, now_ns: int) -> BackendNews | None:
        news = None
        tested = brain.take_tested()
        if brain.ready is None:
            return None
        if tested is not None:
            words = self.checkup.judge(tested, brain.ready, now_ns)
            if words is not None:
                return self._leave(brain, Fault(FaultKind.GARBAGE, words), now_ns)
            news = self._passed(now_ns)
        if self._is_test_due(now_ns):
            self.checkup.send(brain.test, brain.ready, now_ns)
        return news

    def _is_test_due(self, now_ns: int) -> bool:
        if self.is_at_work:
            return not self.is_proven or self.checkup.is_due(now_ns)
        return self._breaker.is_test_due(now_ns)

    def _passed(self, now_ns: int) -> BackendNews | None:
        is_back = self._breaker.passed(now_ns)
        self.is_proven = self.is_at_work
        if not is_back:
            return None
        self.fault = None
        return BackendNews(is_accelerated=True, reason=None, words="its self-tests were good")

    def _leave(self, brain: Brain, fault: Fault, now_ns: int) -> BackendNews | None:
        self._staff.dismiss(brain)
        self.brain, self.is_proven, self.fault = None, False, fault
        if self._breaker.fail(now_ns):
            return BackendNews(is_accelerated=False, reason=f"accelerator_{fault.kind}", words=fault.words)
        logger.info("the Edge TPU is not to be used yet: %s", fault.words)
        return None
