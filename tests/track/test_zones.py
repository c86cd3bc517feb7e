"""Zones: who comes in, who goes out, and who only stands on the border."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.events import EventType
from edge.track.areas import Area, anchor_of
from tests.track.stage import MIDDLE, SIZE, Stage, box_at, kinds, of_kind

ENTER, EXIT = EventType.ZONE_ENTER, EventType.ZONE_EXIT
MOVES = (ENTER, EXIT)


def moves(stage: Stage) -> list[tuple[str, float]]:
    """What came in and went out, with the time it happened."""
    return [(each.type.value, round(each.happened_ns / 1e9, 3)) for each in stage.told if each.type in MOVES]


def walk_through(stage: Stage, *, fps: float, speed: float = 0.2) -> None:
    """From left to right through the zone, which begins at 0.3 and ends at 0.7."""
    steps = np.arange(0.05, 0.95, speed / fps)
    stage.walk(1, *steps, every_s=1 / fps)
    stage.nothing(for_s=0.1)


@pytest.mark.parametrize("fps", [1, 2, 5, 10, 30])
def test_a_thing_enters_when_it_is_first_seen_inside_and_exits_when_it_is_first_seen_outside(fps: float) -> None:
    stage = Stage.of(zones=MIDDLE)

    walk_through(stage, fps=fps)

    (enter, entered), (exit_, left) = moves(stage)
    assert (enter, exit_) == ("zone_enter", "zone_exit")
    # 0.2 of the width a second, first seen at 0.05 after one interval
    assert entered == pytest.approx(1.25 + 1 / fps, abs=1 / fps + 0.001)
    assert left == pytest.approx(3.25 + 1 / fps, abs=1 / fps + 0.001)


def test_the_box_of_an_enter_is_that_of_the_frame_it_names() -> None:
    stage = Stage.of(zones=MIDDLE)
    walk_through(stage, fps=10)

    (enter,) = of_kind(stage.told, ENTER)

    assert enter.track.last_seen_ns == enter.happened_ns
    assert 0.3 <= anchor_of(enter.track.box, "bottom", SIZE)[0] < 0.33
    assert enter.zones == ("middle",)


@pytest.mark.parametrize("fps", [1, 5, 10, 30])
def test_a_thing_that_dithers_on_the_border_enters_once_and_stays(fps: float) -> None:
    random = np.random.default_rng(1)
    stage = Stage.of(zones=MIDDLE)

    for x in 0.3 + random.normal(0, 0.004, round(120 * fps)):
        stage.show({1: box_at(x)}, after_s=1 / fps)

    assert len(moves(stage)) <= 1


def test_one_odd_box_inside_is_no_visit() -> None:
    stage = Stage.of(zones=MIDDLE)

    stage.walk(1, 0.2, 0.2, 0.2, 0.5, 0.2, 0.2, 0.2)

    assert moves(stage) == []


def test_one_odd_box_outside_ends_no_visit() -> None:
    stage = Stage.of(zones=MIDDLE)

    stage.walk(1, *[0.5] * 5, 0.2, *[0.5] * 5, 0.1, *[0.5] * 5)

    assert [kind for kind, _ in moves(stage)] == ["zone_enter"]


def test_what_appears_inside_enters_as_it_starts() -> None:
    stage = Stage.of(zones=MIDDLE)

    told = stage.walk(1, 0.5)

    assert kinds(told) == ["track_start", "zone_enter"]
    assert told[0].zones == ("middle",)


def test_a_track_that_ends_inside_has_left_the_zone_when_it_was_last_seen() -> None:
    stage = Stage.of(zones=MIDDLE)
    stage.stay(1, 0.5, for_s=1.0)

    told = stage.nothing(for_s=0.1)

    assert kinds(told) == ["zone_exit", "track_end"]
    assert {each.happened_ns for each in told} == {1_000_000_000}
    assert told[1].zones == ("middle",)


def test_a_guess_where_a_hidden_thing_is_moves_it_nowhere() -> None:
    stage = Stage.of(zones=MIDDLE)
    stage.walk(1, 0.5, 0.5, 0.5)

    stage.hide(1, for_s=5.0)

    assert [kind for kind, _ in moves(stage)] == ["zone_enter"]


def test_a_light_change_moves_no_parked_car_out_of_its_zone() -> None:
    """Its box moves over the border for a minute; the car, which stands, does not."""
    stage = Stage.of(zones=MIDDLE)
    for _ in range(100):
        stage.show({1: box_at(0.31, width=100)}, still=[1])

    for _ in range(600):
        stage.show({1: box_at(0.285, width=120)}, still=[1])

    assert [kind for kind, _ in moves(stage)] == ["zone_enter"]


def test_a_thing_that_sets_off_is_believed_before_the_tracker_says_so() -> None:
    """The tracker wants to see it away twice, half a second apart, before it calls it moving."""
    stage = Stage.of(zones=MIDDLE)
    for _ in range(100):
        stage.show({1: box_at(0.65, width=100)}, still=[1])

    for x in np.arange(0.65, 0.90, 0.01):
        stage.show({1: box_at(x, width=100)}, still=[1])

    assert moves(stage)[1:] == [("zone_exit", 10.6)]


def test_in_overlapping_zones_the_first_named_is_the_one_that_was_entered() -> None:
    left = ((0.0, 0.0), (0.6, 0.0), (0.6, 1.0), (0.0, 1.0))
    stage = Stage.of(zones={"left": left, **MIDDLE})

    walk_through(stage, fps=10)

    assert [each.zones for each in of_kind(stage.told, ENTER)] == [("left",), ("middle", "left")]
    assert [each.zones for each in of_kind(stage.told, EXIT)] == [("left", "middle"), ("middle",)]


def test_the_foot_of_a_box_decides_unless_the_centre_is_asked_for() -> None:
    low = {"low": ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))}
    by_foot, by_centre = Stage.of(zones=low), Stage.of(zones=low, anchor="centre")

    by_foot.walk(1, 0.5, y=0.55)
    by_centre.walk(1, 0.5, y=0.55)

    assert len(moves(by_foot)) == 1
    assert moves(by_centre) == []


@pytest.mark.parametrize("box", [box_at(0.5, 1.0), box_at(0.5, 1.3), box_at(0.0, 0.5), box_at(1.0, 1.0)])
def test_a_zone_up_to_the_picture_s_edge_holds_what_is_cut_off_there(box) -> None:
    everywhere = Area([(0, 0), (1, 0), (1, 1), (0, 1)])

    assert everywhere.holds(np.array([anchor_of(box, "bottom", SIZE)])).tolist() == [True]


POLYGON = [(0.1, 0.1), (0.9, 0.2), (0.6, 0.5), (0.9, 0.9), (0.2, 0.8), (0.4, 0.4)]


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_point_lies_inside_by_the_winding_number_as_well(x: float, y: float) -> None:
    inside = bool(Area(POLYGON).holds(np.array([[x, y]]))[0])

    corners = np.array(POLYGON) - (x, y)
    angles = np.arctan2(corners[:, 1], corners[:, 0])
    turns = np.angle(np.exp(1j * (np.roll(angles, -1) - angles))).sum() / (2 * np.pi)
    distance = Area(POLYGON).distance_px((x, y), (1, 1))
    assert inside == (abs(round(turns)) == 1) or distance < 1e-9


def test_the_distance_to_a_border_is_counted_in_pixels() -> None:
    square = Area([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)])

    assert square.distance_px((0.2, 0.5), (1000, 500)) == pytest.approx(50)
    assert square.distance_px((0.5, 0.8), (1000, 500)) == pytest.approx(25)
    assert square.distance_px((0.22, 0.17), (1000, 500)) == pytest.approx(50)
