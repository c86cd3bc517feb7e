from __future__ import annotations

from edge.core.clock import HandClock, SystemClock


def test_a_hand_moved_clock_moves_both_times_together() -> None:
    clock = HandClock()
    before = clock.utc_now()

    clock.advance(1.5)

    assert clock.monotonic_ns() == 1_500_000_000
    assert (clock.utc_now() - before).total_seconds() == 1.5


def test_a_step_of_the_wall_clock_leaves_the_monotonic_one_alone() -> None:
    clock = HandClock()
    before = clock.utc_now()

    clock.step_wall(-3600)

    assert clock.monotonic_ns() == 0
    assert (clock.utc_now() - before).total_seconds() == -3600


def test_the_machines_clock_goes_forward_and_knows_its_boot() -> None:
    clock = SystemClock()
    before = clock.monotonic_ns()

    clock.sleep(-1.0)

    assert clock.monotonic_ns() >= before
    assert clock.utc_now().tzinfo is not None
    assert clock.boot_id() == SystemClock().boot_id() != ""
    assert isinstance(clock.is_synced(), bool)
