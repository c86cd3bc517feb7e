"""What is done without on a hot day, and when it comes back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge.service.contract import Contract
from edge.service.governor import LADDER, Change, Governor, Restraint, Step, Strain
from edge.service.pace import Pace

LOOK_S = 5.0


class Board:
    """A board with a heat sink: what it does makes it warm, slowly.

    ambient_c : at rest it is so warm; load_c : so much warmer at full work
    """

    def __init__(self, *, ambient_c: float, load_c: float, over_s: float = 90.0) -> None:
        self.ambient_c, self.load_c, self._over_s = ambient_c, load_c, over_s
        self.now_c = ambient_c

    def step(self, restraint: Restraint, seconds: float) -> float:
        work = restraint.rate / restraint.tightness**0.3 * (0.6 if restraint.smaller_model else 1.0)
        target = self.ambient_c + self.load_c * work
        self.now_c += (target - self.now_c) * (1 - math.exp(-seconds / self._over_s))
        return self.now_c


def run(
    governor: Governor, board: Board, seconds: float, *, start_s: float = 0.0
) -> tuple[list[tuple[float, Change]], float]:
    """Every change with its time, and the hottest it got."""
    changes, hottest, now_s = [], 0.0, start_s
    while now_s < start_s + seconds:
        temperature = board.step(governor.restraint, LOOK_S)
        hottest = max(hottest, temperature)
        change = governor.look(Strain(temperature_c=temperature), now_s)
        if change is not None:
            changes.append((now_s, change))
        now_s += LOOK_S
    return changes, hottest


def test_a_cool_board_is_left_alone() -> None:
    changes, _ = run(Governor(), Board(ambient_c=35, load_c=30), 3600)

    assert changes == []


def test_a_hot_board_steps_down_until_it_holds_and_the_firmware_never_has_to() -> None:
    governor, board = Governor(), Board(ambient_c=45, load_c=40)

    changes, hottest = run(governor, board, 1800)

    assert governor.is_restrained
    assert hottest < 82
    assert board.now_c < 78
    assert {change.causes for _, change in changes if change.step is Step.DOWN} == {("hot",)}


def test_it_does_not_swing() -> None:
    """Six hours on the edge: fewer than two changes in any ten minutes, once it has found its place."""
    changes, _ = run(Governor(), Board(ambient_c=45, load_c=36), 6 * 3600)
    times = [at_s for at_s, _ in changes if at_s > 600]

    assert all(later - earlier >= 600 for earlier, later in zip(times, times[2:], strict=False))
    assert len(times) <= 24


def test_after_a_hot_day_all_of_it_comes_back() -> None:
    governor, board = Governor(), Board(ambient_c=50, load_c=40)
    run(governor, board, 1800)
    board.ambient_c = 25

    changes, _ = run(governor, board, 4 * 3600, start_s=1800)

    assert governor.restraint == Restraint()
    assert all(change.step is Step.UP for _, change in changes)


def test_what_comes_first_is_fewer_frames_then_the_gate_then_the_smaller_model() -> None:
    governor = Governor(has_smaller_model=True)

    told = [governor.look(Strain(flags=("throttled",)), at_s) for at_s in range(0, 600, 5)]

    restraints = [change.restraint for change in told if change is not None]
    assert restraints == list(LADDER[1:])
    assert [each.rate for each in restraints] == [0.75, 0.5, 0.5, 0.5]


def test_without_a_smaller_model_there_is_no_last_rung() -> None:
    governor = Governor()

    for at_s in range(0, 600, 5):
        governor.look(Strain(flags=("under_voltage",)), at_s)

    assert governor.restraint == LADDER[-2]


def test_far_too_hot_is_no_time_to_wait_and_see() -> None:
    governor = Governor()

    changes = [at_s for at_s in range(0, 60, 5) if governor.look(Strain(temperature_c=84), at_s)]

    assert changes == [0, 10, 20]


@pytest.mark.parametrize(
    ("strain", "causes"),
    [
        (Strain(temperature_c=79), ("hot",)),
        (Strain(flags=("under_voltage",)), ("throttled",)),
        (Strain(flags=("under_voltage_occurred", "throttled_occurred")), ()),
        (Strain(queue_age_ms=1500), ("late",)),
        (Strain(late=0.2), ("late",)),
        (Strain(temperature_c=75, queue_age_ms=600), ()),
        (Strain(), ()),
    ],
)
def test_what_is_strain(strain: Strain, causes: tuple[str, ...]) -> None:
    change = Governor().look(strain, 0.0)

    assert (change.causes if change else ()) == causes


@given(
    some.lists(
        some.builds(
            Strain,
            temperature_c=some.one_of(some.none(), some.floats(20, 95)),
            flags=some.sampled_from([(), ("throttled",), ("under_voltage_occurred",)]),
            queue_age_ms=some.one_of(some.none(), some.floats(0, 5000)),
        ),
        max_size=400,
    )
)
def test_whatever_comes_it_moves_one_rung_at_a_time_and_not_too_often(strains: list[Strain]) -> None:
    governor, before, changed_s = Governor(has_smaller_model=True), 0, -math.inf
    for i, strain in enumerate(strains):
        now_s = i * LOOK_S
        change = governor.look(strain, now_s)
        rung = LADDER.index(governor.restraint)
        assert abs(rung - before) == (change is not None)
        if change is not None:
            assert now_s - changed_s >= (120 if change.step is Step.UP else 10)
            assert (change.step is Step.DOWN) == bool(strain.causes)
            changed_s = now_s
        before = rung


def test_a_contract_says_what_is_not_kept() -> None:
    contract = Contract(min_fps=5.0, alert_latency_p95_ms=300.0)

    assert contract.broken(fps={"yard": 4.9, "gate": 10.0}, latency_p95_ms=300.0) == ()
    assert contract.broken(fps={"yard": 4.0}, latency_p95_ms=301.0) == ("min_fps", "alert_latency_p95_ms")
    assert contract.broken(fps={}, latency_p95_ms=None) == ()
    assert Contract().broken(fps={"yard": 0.1}, latency_p95_ms=9e9) == ()


def test_what_is_promised_is_not_given_up() -> None:
    assert Contract(min_fps=8.0).least_rate(0.5, 10.0) == 8.0
    assert Contract().least_rate(0.5, 10.0) == 5.0
    assert Contract(min_fps=20.0).least_rate(0.5, 10.0) == 10.0


def test_a_pace_keeps_its_mean_rate_over_a_camera_that_jitters() -> None:
    pace = Pace(5.0)

    through = [at_ms for at_ms in range(3, 10_000, 99) if pace.lets_through((at_ms + at_ms % 7) / 1000)]

    assert len(through) == pytest.approx(50, abs=1)


def test_no_pace_lets_all_through() -> None:
    pace = Pace()
    assert all(pace.lets_through(i / 1000) for i in range(100))
    pace.change(1.0)
    assert sum(pace.lets_through(i / 1000) for i in range(100, 2000)) in (2, 3)
    pace.change(None)
    assert pace.lets_through(2.0)
    assert pace.fps is None
