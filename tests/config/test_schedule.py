"""A schedule says when a rule is awake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.scalars import WrongValueError
from edge.config.schedule import DAYS, Schedule, Window, parse_schedule

MON, TUE, FRI, SAT, SUN = 0, 1, 4, 5, 6


def test_a_window_by_day_holds_from_its_begin_up_to_its_end() -> None:
    schedule = parse_schedule("mon-fri 08:00-18:00")

    assert schedule == Schedule((Window((0, 1, 2, 3, 4), 480, 1080),))
    assert schedule.covers(MON, 480)
    assert not schedule.covers(MON, 479)
    assert not schedule.covers(MON, 1080)
    assert not schedule.covers(SAT, 600)


def test_a_window_past_midnight_belongs_to_the_day_it_begins() -> None:
    schedule = parse_schedule("fri 22:00-06:00")

    assert schedule.covers(FRI, 22 * 60)
    assert schedule.covers(SAT, 5 * 60 + 59)
    assert not schedule.covers(SAT, 6 * 60)
    assert not schedule.covers(FRI, 60)


def test_a_sunday_night_ends_on_monday() -> None:
    assert parse_schedule("sun 23:00-01:00").covers(MON, 30)


def test_several_windows_hold_side_by_side() -> None:
    schedule = parse_schedule("sat,sun 00:00-24:00; FRI 18:00 - 24:00")

    assert schedule.covers(SUN, 1439)
    assert schedule.covers(FRI, 18 * 60)
    assert not schedule.covers(TUE, 18 * 60)


def test_days_may_run_over_the_week_s_end() -> None:
    assert parse_schedule("sat-mon 08:00-09:00").windows[0].days == (MON, SAT, SUN)


@given(st.integers(0, 1439), st.integers(1, 1440), st.integers(0, 6), st.integers(0, 1439))
def test_a_window_and_the_rest_of_the_day_cover_each_minute_once(start: int, end: int, day: int, minute: int) -> None:
    if start == end or (start == 0 and end == 1440):
        return

    def clock(at: int) -> str:
        return f"{at // 60:02d}:{at % 60:02d}"

    inside = parse_schedule(f"{clock(start)}-{clock(end)}")
    outside = parse_schedule(f"{clock(end % 1440)}-{clock(start or 1440)}")

    assert inside.covers(day, minute) != outside.covers(day, minute)


@pytest.mark.parametrize(
    "text",
    ["", "always", "22:00", "22-06", "24:00-06:00", "08:60-09:00", "1:00-1:00", "mo 1:00-2:00", ";", "mon, 1:00-2:00"],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(WrongValueError):
        parse_schedule(text)


def test_the_days_are_those_of_the_week() -> None:
    assert len(DAYS) == 7
