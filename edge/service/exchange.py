"""The model or its smaller sister at work, as the governor asks: tried beside the other, exchanged between two frames.

What can't run never takes over: the one at work goes on, and health says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from edge.core.errors import EdgeError, ModelError
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.service.reloading import Change

logger = logging.getLogger(__name__)

FAILED = "smaller_model_failed"
_LONGEST_S = 75.0  # a start from a slow card on a machine that is hot and busy
# A sister that failed is left alone for an hour: each try costs a start, on a machine that has no time. The model
# itself, which ran before, is wanted back sooner.
_SISTER_AGAIN_S, _BACK_AGAIN_S = 3600.0, 60.0


class Models(Protocol):
    """A model and its smaller sister, and what stands between them."""

    @property
    def is_smaller(self) -> bool:
        """Which of them is at work."""

    @property
    def is_free(self) -> bool:
        """Whether they may be exchanged now: nobody else is changing anything, and it is the CPU that works."""

    @property
    def has_relapsed(self) -> bool:
        """Whether the sister was at work and ended her process again and again."""

    def change(self, *, is_smaller: bool) -> Change:
        """How the other takes over."""


class Exchange:
    """An errand of the service; all methods belong to its thread."""

    def __init__(self, models: Models, clock: Clock) -> None:
        self._models = models
        self._clock = clock
        self._is_wanted = False
        self._has_failed = False
        self._change: Change | None = None
        self._aim = False
        self._until_ns = 0
        self._not_before_ns = {True: 0, False: 0}

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes for health."""
        return (FAILED,) if self._has_failed and self._is_wanted else ()

    @property
    def is_smaller(self) -> bool:
        """Whether the sister is at work."""
        return self._models.is_smaller

    def want(self, *, is_smaller: bool) -> None:
        """Which of the two is to work, from as soon as it can."""
        self._is_wanted = is_smaller

    def step_aside(self) -> None:
        """Somebody else changes the model: what is being tried is tried again later."""
        if self._change is not None:
            self._change.abandon()
            self._change = None

    def open(self) -> list[Message]:
        """Nothing to say."""
        return []

    def due(self) -> list[Message]:
        """The next step, if there is one; the service itself tells of the model that then runs."""
        now_ns = self._clock.monotonic_ns()
        if self._models.has_relapsed and now_ns >= self._not_before_ns[True]:
            self._fail(ModelError("its process crashed three times within a minute"), True, now_ns)
        goal = self._is_wanted and now_ns >= self._not_before_ns[True]
        if self._change is None:
            if goal is not self._models.is_smaller and now_ns >= self._not_before_ns[goal] and self._models.is_free:
                self._attempt(lambda: self._begin(goal, now_ns), now_ns)
        elif goal is not self._aim:
            self.step_aside()
        else:
            change = self._change
            self._attempt(lambda: self._go_on(change, now_ns), now_ns)
        return []

    def _attempt(self, step: Callable[[], None], now_ns: int) -> None:
        try:
            step()
        except EdgeError as error:
            self._fail(error, self._aim, now_ns)

    def _begin(self, goal: bool, now_ns: int) -> None:
        self._aim, self._until_ns = goal, now_ns + round(_LONGEST_S * 1e9)
        self._change = self._models.change(is_smaller=goal)
        self._change.begin()

    def _go_on(self, change: Change, now_ns: int) -> None:
        if not change.is_ready():
            if now_ns >= self._until_ns:
                raise ModelError(f"it did not run within {_LONGEST_S:.0f} s")
            return
        self._change = None
        change.put_in_force()
        self._has_failed &= not self._aim
        logger.log(logging.WARNING if self._aim else logging.INFO, "%s", change.summary)

    def _fail(self, error: EdgeError, is_sister: bool, now_ns: int) -> None:
        self.step_aside()
        self._has_failed |= is_sister
        self._not_before_ns[is_sister] = now_ns + round((_SISTER_AGAIN_S if is_sister else _BACK_AGAIN_S) * 1e9)
        which = "the smaller model can't be used, the larger one does the work" if is_sister else "no way back yet"
        logger.error("%s: %s", which, error)
