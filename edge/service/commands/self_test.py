"""``self-test``: are the model's numbers for the golden picture still those that were expected?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from edge.core.protocols import Clock
from edge.service.checkup import Result
from edge.service.commands.request import Later, RefusedError, Request

_LONGEST_S = 12.0


class Subject(Protocol):
    """The model, in its own process."""

    def ask(self) -> bool:
        """Have it tested; False = it can't just now."""

    def take_result(self) -> Result | None:
        """Of the test that was asked for, once."""


class SelfTestRequest(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing to say."""


class SelfTestCommand:
    """Has the model run the golden picture.

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
        self._asked = 0
        self._answered = 0
        self._result: Result | None = None

    def run(self, request: SelfTestRequest) -> Later:  # noqa: ARG002
        if not self._subject.ask():
            raise RefusedError("the model's process is being started; try again in a moment")
        self._asked += 1
        number, until_ns = self._asked, self._clock.monotonic_ns() + round(_LONGEST_S * 1e9)
        return Later(lambda: self._answer(number, until_ns))

    def _answer(self, number: int, until_ns: int) -> dict[str, Any] | None:
        result = self._result_for(number)
        if result is None:
            if self._clock.monotonic_ns() < until_ns:
                return None
            result = Result(f"the model did not answer within {_LONGEST_S:.0f} s", 0.0)
        if result.fault is not None:
            raise RefusedError(f"{result.fault}; look at the accelerator and the power supply")
        return {"inference_ms": round(result.infer_ms, 1), "cameras": self._cameras()}

    def _result_for(self, number: int) -> Result | None:
        """One test answers all who asked before it was done."""
        found = self._subject.take_result()
        if found is not None:
            self._answered, self._result = self._asked, found
        return self._result if number <= self._answered else None
