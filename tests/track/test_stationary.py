"""What stands still, and for how long it is believed to."""

from __future__ import annotations

import numpy as np

from edge.core.values import Detections
from tests.track.scenes import Watch, person_at, sight


def test_a_thing_that_keeps_its_place_becomes_stationary_after_seconds():
    watch = Watch()

    assert not watch.see_still(person_at(100), for_s=2.5)[0].stationary
    assert watch.see_still(person_at(100), for_s=2.0)[0].stationary


def test_the_seconds_are_the_same_at_one_frame_a_second():
    watch = Watch()

    assert not watch.see_still(person_at(100), for_s=3, every_s=1.0)[0].stationary
    assert watch.see_still(person_at(100), for_s=3, every_s=1.0)[0].stationary


def test_a_slow_walker_is_never_stationary():
    watch = Watch()

    stood = [watch.see(sight(person_at(100 + 1.5 * step))) for step in range(150)]

    assert not any(track.stationary for tracks in stood for track in tracks)


def test_a_light_change_does_not_make_a_parked_thing_move():
    watch = Watch()
    watch.see_still(person_at(100), for_s=5)

    lit = (100.0, 92.0, 148.0, 205.0)
    told = [watch.see(sight(lit, score=0.4)) for _ in range(50)]

    assert all(tracks[0].stationary for tracks in told)
    assert watch.ids == {1}


def test_one_odd_box_does_not_make_a_parked_thing_move():
    watch = Watch()
    watch.see_still(person_at(100), for_s=10, every_s=1.0)

    told = watch.see(sight(person_at(125)), after_s=1.0)

    assert told[0].stationary


def test_a_parked_thing_that_drives_off_moves_within_a_second_and_a_half():
    watch = Watch()
    watch.see_still(person_at(100), for_s=5)

    told = [watch.see(sight(person_at(100 + 6 * step))) for step in range(20)]

    assert not told[-5][0].stationary
    assert watch.ids == {1}


def test_a_parked_thing_is_awaited_longer_and_stays_where_it_was():
    watch = Watch()
    watch.see_still(person_at(100), for_s=5)

    told = watch.see_nothing(for_s=8)

    assert abs(told[0].box.x1 - 100) < 1
    assert not watch.see_nothing(for_s=3)


def test_a_parked_thing_outlives_a_camera_that_was_away_for_half_a_minute():
    watch = Watch()
    watch.see_still(person_at(100), for_s=5)

    told = watch.see(sight(person_at(100)), after_s=30)

    assert [track.track_id for track in told] == [1]


def test_a_car_parked_for_a_day_is_one_track():
    """A frame every two seconds: 2 % missed, clouds that move edges by a tenth, and scores that fall with them."""
    random = np.random.default_rng(7)
    watch = Watch()
    stood = moved = 0
    cloud = 0.0
    for _ in range(24 * 3600 // 2):
        cloud = 0.97 * cloud + 0.25 * random.normal()
        shift = random.normal(0, 0.015, 4) + 0.1 * np.tanh(cloud) * np.array([1, 0, 0, 1])
        box = np.array([300.0, 200.0, 500.0, 300.0]) + shift * np.array([200, 100, 200, 100])
        missed = random.random() < 0.02
        told = watch.see(
            Detections.empty() if missed else sight(box.tolist(), score=0.7 - 0.35 * abs(np.tanh(cloud))), after_s=2.0
        )
        stood += bool(told and told[0].stationary)
        moved += bool(told and not told[0].stationary)

    assert watch.ids == {1}
    assert moved <= 5
    assert stood > 0.99 * 24 * 3600 // 2


def test_a_person_who_stood_and_walked_out_is_not_awaited_like_a_parked_car():
    watch = Watch()
    watch.see_still(person_at(400), for_s=8)
    for step in range(8):
        watch.see(sight(person_at(400 + 15 * step)))

    watch.see_nothing(for_s=2.5)

    assert watch.told == ()
