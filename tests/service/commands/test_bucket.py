from __future__ import annotations

from edge.core.clock import HandClock
from edge.service.commands.bucket import TokenBucket


def test_so_many_at_once_then_so_many_a_minute() -> None:
    clock = HandClock()
    bucket = TokenBucket(per_minute=30, burst=3, clock=clock)

    at_once = [bucket.take() for _ in range(5)]
    clock.advance(2)
    later = [bucket.take() for _ in range(2)]
    clock.advance(3600)
    rested = [bucket.take() for _ in range(5)]

    assert at_once == [True, True, True, False, False]
    assert later == [True, False]
    assert rested == [True, True, True, False, False]


def test_a_step_of_the_wall_clock_gives_nothing() -> None:
    clock = HandClock()
    bucket = TokenBucket(per_minute=30, burst=1, clock=clock)
    bucket.take()

    clock.step_wall(3600)

    assert not bucket.take()
