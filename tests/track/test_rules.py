"""Each rule speaks when its condition is met, once, and says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge.core.events import EventType, Reason, Severity
from edge.track.hours import Hours
from edge.track.rules.absence import Absence
from edge.track.rules.appear import Appear
from edge.track.rules.count import Count
from edge.track.rules.cross import Cross
from edge.track.rules.dwell import Dwell
from edge.track.rules.enter import Enter
from edge.track.rules.exit import Exit
from edge.track.rules.leave import Leave
from edge.track.rules.terms import Terms
from tests.track.stage import GATE, MIDDLE, Stage, alerts, box_at, kinds, of_kind

PERSON = Terms("r", label="person", threshold=lambda _class_id: 0.6)
IN_MIDDLE = Terms("r", label="person", zone="middle", threshold=lambda _class_id: 0.6)
SCORE = Reason("score", 0.9, 0.6)
IN_ZONE = Reason("in_zone", 1.0, 1.0)
THROUGH = np.arange(0.05, 0.95, 0.02)


def why(stage: Stage) -> tuple[Reason, ...]:
    (spoken,) = [each for each in stage.told if each.rule is not None]
    return spoken.rule.why


def test_appear_speaks_with_the_start_of_the_track() -> None:
    stage = Stage.of(Appear(PERSON))

    stage.stay(1, 0.5, for_s=5.0)

    assert alerts(stage.told) == [("r", "track_start")]
    assert kinds(stage.told) == ["track_start"]
    assert why(stage) == (SCORE,)


def test_a_rule_for_persons_says_nothing_about_cars() -> None:
    stage = Stage.of(Appear(PERSON), Leave(PERSON), Dwell(PERSON, 1.0), Count(PERSON, 1, 0.0))

    for _ in range(30):
        stage.show({1: box_at(0.5)}, label="car")
    stage.nothing(for_s=1.0)

    assert alerts(stage.told) == []
    assert kinds(stage.told) == ["track_start", "track_end"]


def test_a_thing_that_turns_out_to_be_a_person_is_told_then() -> None:
    stage = Stage.of(Appear(PERSON), Enter(Terms("e", label="person", zone="middle")), zones=MIDDLE)

    for label in ["car"] * 5 + ["person"] * 5 + ["car"] * 5 + ["person"] * 5:
        stage.show({1: box_at(0.5)}, label=label)

    assert alerts(stage.told) == [("r", "track_update"), ("e", "track_update")]
    assert kinds(stage.told).count("track_update") == 4  # the first is told once for each of two rules


def test_appear_with_a_zone_means_what_is_first_seen_there() -> None:
    stage = Stage.of(Appear(IN_MIDDLE), zones=MIDDLE)

    stage.walk(1, *THROUGH)
    stage.stay(2, 0.5, for_s=1.0)

    assert [each.track.track_id for each in stage.told if each.rule] == [2]
    assert why(stage) == (SCORE, IN_ZONE)


def test_leave_speaks_with_the_end_of_the_track() -> None:
    stage = Stage.of(Leave(IN_MIDDLE), zones=MIDDLE)
    stage.stay(1, 0.5, for_s=1.0)
    stage.stay(2, 0.1, for_s=1.0)
    stage.nothing(for_s=1.0)

    assert [(each.track.track_id, each.type) for each in stage.told if each.rule] == [(1, EventType.TRACK_END)]


def test_enter_and_exit_speak_with_the_zone_s_own_events() -> None:
    stage = Stage.of(Enter(IN_MIDDLE), Exit(Terms("x", zone="middle")), zones=MIDDLE)

    stage.walk(1, *THROUGH)

    assert alerts(stage.told) == [("r", "zone_enter"), ("x", "zone_exit")]
    assert kinds(stage.told) == ["track_start", "zone_enter", "zone_exit"]
    assert [each.rule.why[-1].condition for each in stage.told if each.rule] == ["in_zone", "out_of_zone"]


def test_exit_speaks_about_what_vanishes_inside() -> None:
    stage = Stage.of(Exit(IN_MIDDLE), zones=MIDDLE)
    stage.stay(1, 0.5, for_s=1.0)
    stage.nothing(for_s=0.5)

    assert alerts(stage.told) == [("r", "zone_exit")]


def test_a_rule_about_another_zone_is_not_meant() -> None:
    zones = {**MIDDLE, "right": ((0.8, 0.0), (1.0, 0.0), (1.0, 1.0), (0.8, 1.0))}
    stage = Stage.of(Enter(Terms("r", zone="right")), Exit(Terms("x", zone="right")), zones=zones)

    stage.walk(1, *np.arange(0.05, 0.75, 0.02))

    assert alerts(stage.told) == []


@pytest.mark.parametrize("fps", [1, 10, 30])
def test_dwell_speaks_once_when_a_stay_has_lasted(fps: float) -> None:
    stage = Stage.of(Dwell(IN_MIDDLE, 3.0), zones=MIDDLE)

    stage.stay(1, 0.5, for_s=20.0, every_s=1 / fps)

    (dwell,) = of_kind(stage.told, EventType.DWELL)
    assert dwell.happened_ns / 1e9 == pytest.approx(3.0 + 1 / fps, abs=0.001)
    assert dwell.zones == ("middle",)
    reason = why(stage)[1]
    assert (reason.condition, reason.threshold) == ("dwell_ms", 3000)
    assert 3000 <= reason.value <= 3000 + 1000 / fps


def test_dwell_without_a_zone_counts_from_the_first_sight() -> None:
    stage = Stage.of(Dwell(PERSON, 2.0))

    stage.walk(1, *np.arange(0.05, 0.95, 0.01))

    assert [each.happened_ns / 1e9 for each in of_kind(stage.told, EventType.DWELL)] == [pytest.approx(2.1)]


def test_dwell_speaks_again_about_another_stay() -> None:
    stage = Stage.of(Dwell(IN_MIDDLE, 1.0), zones=MIDDLE)

    for _ in range(3):
        stage.stay(1, 0.5, for_s=2.0)
        stage.stay(1, 0.1, for_s=2.0)

    assert alerts(stage.told) == [("r", "dwell")] * 3


def test_a_thing_out_of_sight_does_not_stay_on() -> None:
    stage = Stage.of(Dwell(IN_MIDDLE, 2.0), zones=MIDDLE)
    stage.stay(1, 0.5, for_s=1.0)

    stage.hide(1, for_s=5.0)

    assert alerts(stage.told) == []


def crowd(stage: Stage, count: int, *, for_s: float = 1.0, first: int = 1) -> None:
    for _ in range(round(for_s / 0.1)):
        stage.show({first + i: box_at(0.35 + 0.08 * i) for i in range(count)})


def test_count_speaks_when_so_many_are_there() -> None:
    stage = Stage.of(Count(IN_MIDDLE, 3, 0.0), zones=MIDDLE)

    crowd(stage, 2)
    crowd(stage, 4)

    assert alerts(stage.told) == [("r", "count")]
    assert why(stage) == (SCORE, Reason("count", 4, 3), IN_ZONE)


def test_count_with_seconds_waits_for_a_crowd_that_lasts() -> None:
    stage = Stage.of(Count(PERSON, 3, 2.0))

    crowd(stage, 3, for_s=1.5)
    crowd(stage, 2, for_s=0.5)
    assert alerts(stage.told) == []

    crowd(stage, 3, for_s=2.5)
    assert [each.happened_ns / 1e9 for each in of_kind(stage.told, EventType.COUNT)] == [pytest.approx(4.1)]


def test_count_says_nothing_new_about_the_same_crowd() -> None:
    stage = Stage.of(Count(PERSON, 3, 0.0))

    for _ in range(5):
        crowd(stage, 3)
        stage.show({1: box_at(0.35), 2: box_at(0.43)}, hidden=[])
        crowd(stage, 2)

    # the third comes back under a new id each time: lost and found, no newcomer
    assert alerts(stage.told) == [("r", "count")]


def test_count_speaks_again_about_a_newcomer() -> None:
    stage = Stage.of(Count(PERSON, 2, 0.0))
    crowd(stage, 2)
    crowd(stage, 1, for_s=10.0)

    for _ in range(5):
        stage.show({1: box_at(0.35), 7: box_at(0.9)})

    assert alerts(stage.told) == [("r", "count")] * 2


def test_absence_speaks_once_when_nothing_was_seen_for_so_long() -> None:
    stage = Stage.of(Absence(IN_MIDDLE, 5.0), zones=MIDDLE)
    stage.stay(1, 0.5, for_s=10.0)

    stage.nothing(for_s=60.0)

    (absence,) = of_kind(stage.told, EventType.ABSENCE)
    assert absence.happened_ns / 1e9 == pytest.approx(15.0)
    assert (absence.track, absence.zones) == (None, ("middle",))
    assert why(stage) == (Reason("absence_ms", 5000, 5000), Reason("empty_zone", 1.0, 1.0))


def test_absence_counts_from_the_first_frame_and_anew_after_each_visit() -> None:
    stage = Stage.of(Absence(PERSON, 5.0))

    stage.nothing(for_s=8.0)
    stage.stay(1, 0.5, for_s=1.0)
    stage.nothing(for_s=8.0)

    assert [round(each.happened_ns / 1e9, 3) for each in of_kind(stage.told, EventType.ABSENCE)] == [5.1, 14.0]


def test_time_in_which_nobody_looked_is_no_absence() -> None:
    """The camera went on, but the model's process was away for a minute."""
    stage = Stage.of(Absence(PERSON, 5.0))
    stage.nothing(for_s=4.0)
    stage.now_s += 60.0

    stage.nothing(for_s=4.0)

    assert alerts(stage.told) == []


def test_a_camera_of_one_frame_in_ten_seconds_sees_that_nobody_is_there() -> None:
    stage = Stage.of(Absence(PERSON, 60.0))

    stage.nothing(for_s=120.0, every_s=10.0)

    assert alerts(stage.told) == [("r", "absence")]


def test_behind_a_covered_lens_nobody_is_absent() -> None:
    stage = Stage.of(Absence(PERSON, 5.0))
    stage.nothing(for_s=4.0)
    stage.book.impair(is_impaired=True)
    stage.nothing(for_s=60.0)
    stage.book.impair(is_impaired=False)

    stage.nothing(for_s=4.9)
    assert alerts(stage.told) == []

    stage.nothing(for_s=0.5)
    assert alerts(stage.told) == [("r", "absence")]


def test_time_in_which_the_camera_saw_nothing_is_no_absence() -> None:
    stage = Stage.of(Absence(PERSON, 5.0))
    stage.stay(1, 0.5, for_s=1.0)
    stage.book.finish()
    stage.now_s += 3600.0

    stage.nothing(for_s=4.0)

    assert alerts(stage.told) == []


@pytest.mark.parametrize(("direction", "spoken"), [(None, 2), ("in", 1), ("out", 1)])
def test_cross_speaks_about_each_crossing_that_way(direction: str | None, spoken: int) -> None:
    stage = Stage.of(Cross(PERSON, "gate", direction), Cross(Terms("other"), "elsewhere"), lines=GATE)

    stage.walk(1, *np.arange(0.3, 0.7, 0.02), *np.arange(0.7, 0.3, -0.02))

    assert alerts(stage.told) == [("r", "line_cross")] * spoken
    conditions = {each.rule.why[1].condition for each in stage.told if each.rule}
    assert conditions == ({f"crossed_{direction}"} if direction else {"crossed_in", "crossed_out"})


def test_two_rules_speak_about_one_happening_in_two_events() -> None:
    stage = Stage.of(Appear(PERSON), Appear(Terms("any", Severity.DETECTION)))

    told = stage.walk(1, 0.5)

    assert [(each.rule.name, each.rule.severity) for each in told] == [
        ("r", Severity.ALERT),
        ("any", Severity.DETECTION),
    ]


def test_a_thing_that_scores_less_now_is_told_with_its_best_score() -> None:
    stage = Stage.of(Appear(Terms("r", threshold=lambda _class_id: 0.95)))

    stage.walk(1, 0.5)

    assert why(stage) == (Reason("top_score", 0.9, 0.95),)


def test_a_rule_keeps_quiet_for_its_cooldown() -> None:
    stage = Stage.of(Appear(Terms("r", cooldown_s=60.0)))

    for number in range(1, 13):
        stage.stay(number, 0.5 + 0.2 * (number % 2), for_s=1.0)
        stage.nothing(for_s=9.0)

    spoken = [each for each in stage.told if each.rule is not None]
    assert [each.track.track_id for each in spoken] == [1, 7]
    assert spoken[1].rule.why[-1] == Reason("quiet_ms", 60_000, 60_000)


NIGHT = Hours(lambda _day, minute: minute >= 22 * 60 or minute < 6 * 60, ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(("hour", "spoken"), [(20, 0), (21, 1), (4, 1), (5, 0)])  # UTC; Berlin is an hour ahead
def test_a_rule_speaks_while_its_schedule_holds(hour: int, spoken: int) -> None:
    stage = Stage.of(Appear(Terms("r", hours=NIGHT)))

    stage.show({1: box_at(0.5)}, at=datetime(2026, 1, 10, hour, 30, tzinfo=UTC))

    assert len(alerts(stage.told)) == spoken
    if spoken:
        assert why(stage)[-1] == Reason("in_schedule", 1.0, 1.0)


def test_what_appeared_while_the_rule_slept_is_nothing_new_when_it_wakes() -> None:
    stage = Stage.of(Appear(Terms("r", hours=NIGHT)), Dwell(Terms("d", hours=NIGHT), 60.0))
    noon = datetime(2026, 1, 10, 12, tzinfo=UTC)

    for minute in range(16 * 60):
        stage.show({1: box_at(0.5)}, after_s=60.0, still=[1], at=noon + timedelta(minutes=minute))

    # the stay has lasted long enough, and that is told as soon as the rule is awake
    assert alerts(stage.told) == [("d", "dwell")]
    assert [each.happened_at for each in stage.told if each.rule] == [datetime(2026, 1, 10, 21, tzinfo=UTC)]


def test_absence_counts_only_while_the_rule_is_awake() -> None:
    stage = Stage.of(Absence(Terms("r", hours=NIGHT), 600.0))
    noon = datetime(2026, 1, 10, 12, tzinfo=UTC)

    for minute in range(36 * 60):
        stage.show({}, after_s=60.0, at=noon + timedelta(minutes=minute))

    told = [each.happened_at for each in of_kind(stage.told, EventType.ABSENCE)]
    assert told == [datetime(2026, 1, 10, 21, 9, tzinfo=UTC), datetime(2026, 1, 11, 21, 9, tzinfo=UTC)]


EARLY = Hours(lambda _day, minute: 120 <= minute < 180, ZoneInfo("Europe/Berlin"))


def awake_minutes(day: datetime) -> int:
    return sum(EARLY.hold(day + timedelta(minutes=minute)) for minute in range(24 * 60))


def test_the_hour_that_summer_time_takes_and_gives_back() -> None:
    assert awake_minutes(datetime(2026, 3, 28, 0, tzinfo=UTC)) == 60
    assert awake_minutes(datetime(2026, 3, 29, 0, tzinfo=UTC)) == 0
    assert awake_minutes(datetime(2026, 10, 24, 12, tzinfo=UTC)) == 120
    assert awake_minutes(datetime(2026, 7, 1, 0, tzinfo=UTC)) == 60


@pytest.mark.parametrize(
    ("place", "begin_utc", "minutes"),
    [
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 13, 30, tzinfo=UTC), 30),  # 02:00 is followed by 02:30
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, 0, tzinfo=UTC), 90),  # 01:30 to 02:00 comes twice
        ("Australia/Lord_Howe", datetime(2026, 7, 1, 13, 30, tzinfo=UTC), 60),
        ("Asia/Kathmandu", datetime(2026, 7, 1, 18, 15, tzinfo=UTC), 60),
    ],
)
def test_half_hours_of_summer_time_and_quarter_hours_of_longitude(
    place: str, begin_utc: datetime, minutes: int
) -> None:
    """A window from 01:30 to 02:30, asked for in each minute of the local day that begins at ``begin_utc``."""
    window = Hours(lambda _day, minute: 90 <= minute < 150, ZoneInfo(place))

    assert sum(window.hold(begin_utc + timedelta(minutes=minute)) for minute in range(23 * 60)) == minutes


def test_the_weekday_is_that_of_the_place() -> None:
    monday = Hours(lambda day, _minute: day == 0, ZoneInfo("Pacific/Auckland"))

    assert monday.hold(datetime(2026, 1, 4, 12, tzinfo=UTC))  # Sunday noon in Greenwich
    assert not monday.hold(datetime(2026, 1, 5, 12, tzinfo=UTC))
