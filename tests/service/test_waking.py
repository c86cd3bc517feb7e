"""Time that passes while we run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.core.clock import HandClock
from edge.service.waking import WakingClock


def test_of_a_long_sleep_one_turn_counts() -> None:
    clock = HandClock()
    waking = WakingClock(clock)

    clock.advance(0.2)
    assert waking.monotonic_ns() == 200_000_000
    clock.advance(60.0)
    assert waking.monotonic_ns() == 700_000_000
    clock.advance(0.5)
    assert waking.monotonic_ns() == 1_200_000_000


@given(st.lists(st.floats(0.0, 0.5), max_size=30))
def test_without_one_it_is_the_clock_it_was_made_of(steps: list[float]) -> None:
    clock = HandClock()
    waking = WakingClock(clock)

    for step in steps:
        clock.advance(step)
        assert waking.monotonic_ns() == clock.monotonic_ns()
