"""What was lost and is found again is nothing new; what is new is told, even where something else was."""

from __future__ import annotations

import numpy as np

from edge.track.rules.appear import Appear
from edge.track.rules.dwell import Dwell
from edge.track.rules.enter import Enter
from edge.track.rules.terms import Terms
from tests.track.stage import MIDDLE, Stage, alerts, box_at, kinds

RULES = ("appear", "enter", "dwell")


def stage() -> Stage:
    rules = Appear(Terms("appear")), Enter(Terms("enter", zone="middle")), Dwell(Terms("dwell", zone="middle"), 2.0)
    return Stage.of(*rules, zones=MIDDLE)


def names(told: Stage) -> list[str]:
    return [name for name, _ in alerts(told.told)]


def park(scene: Stage, number: int, x: float = 0.5, *, for_s: float, width: float = 100.0) -> None:
    for i in range(round(for_s)):
        scene.show({number: box_at(x, width=width)}, after_s=1.0, still=[number] if i > 3 else [], label="car")


def test_a_parked_car_that_fades_for_hours_and_comes_back_is_the_same_car() -> None:
    scene = stage()
    park(scene, 1, for_s=8 * 3600 / 10)
    scene.nothing(for_s=600.0, every_s=10.0)

    park(scene, 2, for_s=100, width=115.0)

    assert names(scene) == list(RULES)
    # the plain events tell what the tracker saw
    assert kinds(scene.told).count("track_start") == kinds(scene.told).count("zone_enter") == 2


def test_another_car_that_drives_up_to_the_same_place_is_new() -> None:
    scene = stage()
    park(scene, 1, for_s=3600 / 10)
    for x in np.arange(0.5, 1.0, 0.05):  # it drives off and leaves the picture
        scene.show({1: box_at(x, width=100)}, label="car", after_s=0.2)
    scene.nothing(for_s=30.0, every_s=1.0)

    for x in np.arange(0.0, 0.5, 0.05):
        scene.show({2: box_at(x, width=100)}, label="car", after_s=0.2)
    park(scene, 2, for_s=100)

    assert names(scene) == [*RULES, *RULES]


def test_a_car_in_the_next_bay_is_new() -> None:
    scene = stage()
    park(scene, 1, 0.4, for_s=600)
    scene.nothing(for_s=30.0, every_s=1.0)

    park(scene, 2, 0.5, for_s=10)

    assert names(scene) == [*RULES, *RULES]


def test_a_walker_who_is_lost_for_a_moment_is_the_same_person() -> None:
    scene = stage()
    scene.walk(1, *np.arange(0.2, 0.45, 0.01))
    scene.hide(1, for_s=2.0)
    scene.nothing(for_s=1.0)

    scene.walk(2, *np.arange(0.5, 0.65, 0.005))

    assert names(scene) == ["appear", "enter", "dwell"]


def test_two_persons_in_one_place_one_after_the_other_are_two() -> None:
    scene = stage()
    scene.stay(1, 0.5, for_s=3.0)
    scene.nothing(for_s=10.0)

    scene.stay(2, 0.5, for_s=3.0)

    assert names(scene) == [*RULES, *RULES]


def test_who_comes_in_where_somebody_has_just_left_the_picture_is_new() -> None:
    scene = stage()
    scene.walk(1, *np.arange(0.2, 0.0, -0.02))
    scene.nothing(for_s=1.0)

    scene.walk(2, *np.arange(0.0, 0.2, 0.02))

    assert names(scene) == ["appear", "appear"]


def test_two_that_were_seen_together_are_two() -> None:
    scene = stage()
    for _ in range(10):
        scene.show({1: box_at(0.4), 2: box_at(0.42)})
    for _ in range(10):
        scene.show({2: box_at(0.42)})

    for _ in range(10):
        scene.show({2: box_at(0.42), 3: box_at(0.44)})

    # 3 continues 1, which was lost; 2 stays 2
    assert names(scene).count("appear") == 2


def test_a_camera_that_was_away_tells_nothing_twice() -> None:
    scene = stage()
    park(scene, 1, for_s=600)
    told = scene.book.finish()
    scene.now_s += 300.0

    park(scene, 1, for_s=10)

    assert kinds(told) == ["zone_exit", "track_end"]
    assert [each.rule for each in told] == [None, None]
    assert names(scene) == list(RULES)
