"""``self-test``: is the model still what it was when the service started?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from edge.core.protocols import Clock
from edge.service.commands.request import Later, RefusedError, Request
from edge.service.infer_letters import Tested

# Quantised models give the same bits each time; floating point may differ in the last ones with the threads' order.
_TOLERANCE = 1e-3
_LONGEST_S = 10.0


class Subject(Protocol):
    """The model, in its own process."""

    @property
    def numbers(self) -> tuple[float, ...]:
        """What the test picture gave when the service started."""

    def test(self) -> bool:
        """Have it look at the test picture; False = it can't just now."""

    def take_tested(self) -> Tested | None:
        """The answer to a ``test``, once."""


class SelfTestRequest(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing to say."""


class SelfTestCommand:
    """Has the model look at a picture that is always the same, and compares its numbers with those at the start.

    Parameters
    ----------
    cameras : their states, for the answer
    """

    name = "self-test"
    request = SelfTestRequest

    def __init__(self, subject: Subject, clock: Clock, cameras: Callable[[], dict[str, str]]) -> None:
        self._subject = subject
        self._clock = clock
        self._cameras = cameras

    def run(self, request: SelfTestRequest) -> Later:  # noqa: ARG002
        if not self._subject.test():
            raise RefusedError("the model's process is being started; try again in a moment")
        until_ns = self._clock.monotonic_ns() + round(_LONGEST_S * 1e9)
        return Later(lambda: self._answer(until_ns))

    def _answer(self, until_ns: int) -> dict[str, Any] | None:
        tested = self._subject.take_tested()
        if tested is None:
            if self._clock.monotonic_ns() < until_ns:
                return None
            tested = Tested(fault=f"the model did not answer within {_LONGEST_S:.0f} s")
        fault = tested.fault or self._difference(tested.numbers)
        if fault is not None:
            raise RefusedError(f"{fault}; restart edge, and look at the accelerator and the power supply")
        return {"inference_ms": round(tested.infer_ms, 1), "cameras": self._cameras()}

    def _difference(self, numbers: tuple[float, ...]) -> str | None:
        expected = self._subject.numbers
        alike = len(numbers) == len(expected) and all(
            math.isclose(now, before, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
            for now, before in zip(numbers, expected, strict=True)
        )
        return None if alike else "the model's numbers for the test picture are not those of the start"
