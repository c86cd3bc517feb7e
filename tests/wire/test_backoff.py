"""How long to wait, and in which version to try again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.wire.backoff import Backoff
from edge.wire.dialect import Dialect
from edge.wire.packets import Version
from edge.wire.reasons import Cause


def test_the_longest_waits_double_up_to_the_limit() -> None:
    backoff = Backoff(first_s=0.5, longest_s=60, chance=lambda: 1.0)

    assert [backoff.next_s() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50))
def test_every_wait_is_between_half_a_second_and_a_minute(chances: list[float]) -> None:
    rolls = iter(chances)
    backoff = Backoff(first_s=0.5, longest_s=60, chance=lambda: next(rolls))

    assert all(0.5 <= backoff.next_s() <= 60 for _ in chances)


def test_success_starts_small_again() -> None:
    backoff = Backoff(first_s=0.5, longest_s=60, chance=lambda: 1.0)
    for _ in range(5):
        backoff.next_s()

    backoff.reset()

    assert backoff.next_s() == 1


def test_two_devices_do_not_wait_equally_long() -> None:
    waits = {Backoff(first_s=0.5, longest_s=60).next_s() for _ in range(20)}

    assert len(waits) > 10


def test_a_refused_version_is_not_asked_for_again() -> None:
    dialect = Dialect()

    is_worth_trying_at_once = dialect.note(Cause.VERSION)
    for _ in range(5):
        dialect.note(Cause.LOST)
        dialect.note(Cause.SILENT)

    assert is_worth_trying_at_once
    assert dialect.version is Version.V311


def test_a_broker_that_refuses_both_versions_is_asked_for_both_in_turn() -> None:
    dialect = Dialect()

    assert dialect.note(Cause.VERSION)
    assert not dialect.note(Cause.VERSION)  # back to 5, after a wait
    assert dialect.version is Version.V5


def test_silence_makes_us_guess_but_not_remember() -> None:
    dialect = Dialect()
    dialect.note(Cause.SILENT)
    dialect.note(Cause.SILENT)
    guessed = dialect.version

    dialect.note(Cause.LOST)

    assert guessed is Version.V311
    assert dialect.version is Version.V5


def test_one_silence_is_no_reason_to_guess() -> None:
    dialect = Dialect()

    dialect.note(Cause.SILENT)
    dialect.note(Cause.LOST)
    dialect.note(Cause.SILENT)

    assert dialect.version is Version.V5
