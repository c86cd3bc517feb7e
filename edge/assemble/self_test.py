"""The self-test inside the model's process: measured by what was kept, else by the CPU's version of the model."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.core.errors import EdgeError
from edge.core.protocols import Clock
from edge.infer.detector import Detector
from edge.infer.golden import Golden
from edge.infer.self_test import Expected, run_self_test
from edge.service.infer_letters import SelfTest, Tested

logger = logging.getLogger(__name__)


def make_self_test(
    detector: Detector, open_twin: Callable[[], Detector] | None, clock: Clock
) -> Callable[[SelfTest], Tested]:
    """How the process answers a SelfTest.

    Parameters
    ----------
    open_twin : loads the CPU's version of an accelerator's model; used once, when nobody knows what to expect
    """

    def test(letter: SelfTest) -> Tested:
        twin_golden = None
        expected = Expected(letter.expected, letter.is_own)
        if letter.expected is None and open_twin is not None:
            twin_golden = _golden_of(open_twin)
            expected = Expected(twin_golden, is_own=twin_golden is None)
        began_ns = clock.monotonic_ns()
        verdict = run_self_test(detector, expected)
        elapsed_ms = (clock.monotonic_ns() - began_ns) / 1e6
        return Tested(elapsed_ms, verdict.fault, verdict.golden, twin_golden)

    return test


def _golden_of(open_twin: Callable[[], Detector]) -> Golden | None:
    """None where the twin can't be run: then the accelerator can be measured by itself alone."""
    try:
        return run_self_test(open_twin(), Expected()).golden
    except EdgeError as error:
        logger.warning("the accelerator's self-test has no CPU version of the model to be measured by: %s", error)
        return None
