from __future__ import annotations

from edge.core.clock import HandClock
from edge.service.identity import Identities, new_epoch


def test_numbers_start_at_one_and_have_no_holes() -> None:
    identities = Identities("gate", "E")

    assert [identities.next().seq for _ in range(3)] == [1, 2, 3]


def test_an_epoch_is_new_each_time_and_sorts_by_time() -> None:
    clock = HandClock()
    first = new_epoch(clock)
    clock.advance(1.0)
    second = new_epoch(clock)

    assert len(first) == len(second) == 26
    assert first < second
    assert new_epoch(clock) != second
