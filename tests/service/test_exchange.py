"""The model and its smaller sister: one takes over from the other when it can, and what can't run never does."""

from __future__ import annotations

import pytest

from edge.core.clock import HandClock
from edge.core.errors import EdgeError, ModelError
from edge.service.exchange import FAILED, Exchange

HOUR_S = 3600.0


class FakeChange:
    """Takes over as soon as it may."""

    def __init__(self, models: FakeModels, *, is_smaller: bool) -> None:
        self._models = models
        self._is_smaller = is_smaller
        self.summary = "smaller" if is_smaller else "larger"

    def begin(self) -> None:
        self._models.calls.append(f"begin {self.summary}")

    def is_ready(self) -> bool:
        if self._models.error is not None:
            raise self._models.error
        return self._models.is_ready

    def put_in_force(self) -> None:
        self._models.calls.append(self.summary)
        self._models.is_smaller = self._is_smaller

    def abandon(self) -> None:
        self._models.calls.append(f"abandon {self.summary}")


class FakeModels:
    """Two models that do as they are told."""

    def __init__(self) -> None:
        self.is_smaller = False
        self.is_free = True
        self.has_relapsed = False
        self.is_ready = True
        self.error: EdgeError | None = None
        self.calls: list[str] = []

    def change(self, *, is_smaller: bool) -> FakeChange:
        return FakeChange(self, is_smaller=is_smaller)


class Desk:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.models = FakeModels()
        self.exchange = Exchange(self.models, self.clock)

    def turns(self, count: int = 4, *, seconds: float = 0.0) -> list[str]:
        for _ in range(count):
            assert self.exchange.due() == []
            self.clock.advance(seconds)
        calls, self.models.calls = self.models.calls, []
        return calls


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_sister_comes_when_she_is_wanted_and_goes_when_she_is_not(desk: Desk) -> None:
    desk.exchange.want(is_smaller=True)
    down = desk.turns()
    desk.exchange.want(is_smaller=False)
    up = desk.turns()

    assert desk.turns() == []
    assert (down, up) == (["begin smaller", "smaller"], ["begin larger", "larger"])
    assert desk.exchange.reasons == ()


def test_what_is_told_is_who_works_and_not_who_was_asked_for(desk: Desk) -> None:
    desk.models.is_ready = False
    desk.exchange.want(is_smaller=True)
    desk.turns()
    before = desk.exchange.is_smaller
    desk.models.is_ready = True
    desk.turns()

    assert (before, desk.exchange.is_smaller) == (False, True)


def test_a_sister_who_is_wanted_no_longer_does_not_come(desk: Desk) -> None:
    desk.models.is_ready = False
    desk.exchange.want(is_smaller=True)
    desk.turns()
    desk.exchange.want(is_smaller=False)

    assert desk.turns() == ["abandon smaller"]
    assert not desk.exchange.is_smaller


def test_a_sister_who_can_not_run_leaves_the_larger_at_work_and_is_tried_again_after_an_hour(desk: Desk) -> None:
    desk.models.error = ModelError("no such file")
    desk.exchange.want(is_smaller=True)
    first, soon = desk.turns(), desk.turns(10, seconds=300)
    reasons = desk.exchange.reasons
    desk.models.error = None
    desk.clock.advance(HOUR_S)
    later = desk.turns()

    assert (first, soon) == (["begin smaller", "abandon smaller"], [])
    assert reasons == (FAILED,)
    assert later == ["begin smaller", "smaller"]
    assert desk.exchange.reasons == ()


def test_a_sister_who_does_not_get_to_run_is_given_up(desk: Desk) -> None:
    desk.models.is_ready = False
    desk.exchange.want(is_smaller=True)

    assert desk.turns(40, seconds=2) == ["begin smaller", "abandon smaller"]
    assert desk.exchange.reasons == (FAILED,)


def test_a_sister_who_ends_her_process_at_work_gives_the_place_back(desk: Desk) -> None:
    desk.exchange.want(is_smaller=True)
    desk.turns()
    desk.models.has_relapsed = True
    back = desk.turns()
    desk.models.has_relapsed = False

    assert back == ["begin larger", "larger"]
    assert desk.exchange.reasons == (FAILED,)
    assert desk.turns(10, seconds=300) == []


def test_a_way_back_that_fails_is_tried_again_a_minute_later(desk: Desk) -> None:
    desk.exchange.want(is_smaller=True)
    desk.turns()
    desk.exchange.want(is_smaller=False)
    desk.models.error = ModelError("out of memory")
    failed = desk.turns(10)
    desk.models.error = None
    later = desk.turns(4, seconds=30)

    assert failed == ["begin larger", "abandon larger"]
    assert later == ["begin larger", "larger"]
    assert desk.exchange.reasons == ()


def test_while_somebody_else_changes_the_model_nothing_is_begun_and_what_was_is_left(desk: Desk) -> None:
    desk.models.is_ready = False
    desk.exchange.want(is_smaller=True)
    desk.turns()
    desk.models.is_free = False
    desk.exchange.step_aside()
    aside = desk.turns()
    desk.models.is_free = desk.models.is_ready = True

    assert aside == ["abandon smaller"]
    assert desk.turns() == ["begin smaller", "smaller"]


def test_a_failure_of_a_day_that_is_over_is_not_told_any_more(desk: Desk) -> None:
    desk.models.error = ModelError("no such file")
    desk.exchange.want(is_smaller=True)
    desk.turns()
    desk.exchange.want(is_smaller=False)
    desk.turns()

    assert desk.exchange.reasons == ()
