"""When an accelerator that failed is trusted again. Time is moved by hand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.service.breaker import Breaker, Patience, Trust

_S = 1_000_000_000
_QUIET_S = Patience().quiet_s


class Rig:
    """A breaker beside a device that is well or not, looked at twice a second."""

    def __init__(self) -> None:
        self.breaker = Breaker()
        self.now_s = 0.0
        self.changes: list[tuple[float, Trust]] = []

    def live(self, seconds: float, *, well: bool) -> None:
        for _ in range(round(seconds * 2)):
            self.now_s += 0.5
            self.step(well=well)

    def step(self, *, well: bool) -> None:
        now_ns = round(self.now_s * _S)
        before = self.breaker.trust is Trust.IN_USE
        if before and not well:
            self.breaker.fail(now_ns)
        if self.breaker.is_try_due(now_ns):
            self.breaker.begin_trial(now_ns)
        if self.breaker.is_test_due(now_ns):
            if well:
                self.breaker.passed(now_ns)
            else:
                self.breaker.fail(now_ns)
        if before != (self.breaker.trust is Trust.IN_USE):
            self.changes.append((self.now_s, self.breaker.trust))


def test_a_failure_takes_effect_at_once() -> None:
    breaker = Breaker()

    assert breaker.fail(5 * _S)
    assert breaker.trust is Trust.AWAY
    assert not breaker.fail(6 * _S)


def test_after_one_loss_three_good_self_tests_bring_it_back() -> None:
    breaker = Breaker()
    breaker.fail(0)
    breaker.begin_trial(2 * _S)

    answers = [breaker.passed(second * _S) for second in (2, 4, 6)]

    assert answers == [False, False, True]
    assert breaker.trust is Trust.IN_USE


def test_a_failed_self_test_starts_the_count_anew() -> None:
    breaker = Breaker()
    breaker.fail(0)
    breaker.begin_trial(2 * _S)
    breaker.passed(2 * _S)
    breaker.passed(4 * _S)

    breaker.fail(6 * _S)
    breaker.begin_trial(20 * _S)

    assert [breaker.passed(second * _S) for second in (20, 22, 24)] == [False, False, True]


def test_a_device_that_stays_away_is_looked_for_ever_more_seldom_but_each_minute() -> None:
    breaker, tries, now_s = Breaker(), [], 0
    breaker.fail(0)

    while now_s < 600:
        now_s += 1
        if breaker.is_try_due(now_s * _S):
            tries.append(now_s)
            breaker.begin_trial(now_s * _S)
            breaker.fail(now_s * _S)

    gaps = [after - before for before, after in itertools.pairwise(tries)]
    assert tries[0] == 2
    assert gaps == sorted(gaps)
    assert max(gaps) == 60


def test_one_that_fails_again_soon_has_to_be_well_for_ten_minutes() -> None:
    rig = Rig()
    rig.live(5, well=False)
    rig.live(60, well=True)
    rig.live(1, well=False)
    second_loss_s = rig.now_s

    rig.live(1200, well=True)

    assert [trust for _, trust in rig.changes] == [Trust.AWAY, Trust.IN_USE, Trust.AWAY, Trust.IN_USE]
    assert rig.changes[-1][0] - second_loss_s >= _QUIET_S


def test_patience_grows_with_each_relapse_and_ends_with_a_steady_hour() -> None:
    rig, waits = Rig(), []
    for _ in range(7):
        rig.live(1, well=False)
        lost_s = rig.now_s
        while rig.breaker.trust is not Trust.IN_USE:
            rig.live(1, well=True)
        waits.append(rig.now_s - lost_s)
    rig.live(3700, well=True)
    rig.live(1, well=False)

    rig.live(30, well=True)

    assert waits[0] < 30
    assert waits[1:] == sorted(waits[1:])
    assert max(waits) < Patience().longest_quiet_s + 120
    assert rig.breaker.trust is Trust.IN_USE


@pytest.mark.parametrize("up_s", [1, 7, 60, 300, 590])
@pytest.mark.parametrize("down_s", [11, 30, 300])
def test_flapping_changes_nothing_any_more_once_it_is_known(up_s: int, down_s: int) -> None:
    rig = Rig()

    for _ in range(round(6 * 3600 / (up_s + down_s))):
        rig.live(up_s, well=True)
        rig.live(down_s, well=False)

    assert len(rig.changes) <= 3


@pytest.mark.parametrize("up_s", [3, 7, 61, 700, 1300])
def test_even_flapping_that_no_self_test_sees_changes_less_than_once_in_ten_minutes(up_s: int) -> None:
    rig, hours = Rig(), 6

    for _ in range(round(hours * 3600 / (up_s + 1))):
        rig.live(up_s, well=True)
        rig.live(1, well=False)

    assert len(rig.changes) <= hours * 6


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 900)), min_size=1, max_size=25))
def test_however_a_device_behaves_it_is_left_at_once_and_comes_back_at_most_every_ten_minutes(spells) -> None:
    rig = Rig()

    for up_s, down_s in spells:
        rig.live(up_s, well=True)
        rig.live(down_s, well=False)
        assert rig.breaker.trust is not Trust.IN_USE

    returns = [at for at, trust in rig.changes if trust is Trust.IN_USE]
    assert all(after - before >= _QUIET_S for before, after in itertools.pairwise(returns))
