"""The life of a track, told as sentences."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.values import Detections, as_detections
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker
from tests.track.scenes import LABELS, Watch, make_tracker, person_at, sight


def test_a_single_flicker_never_becomes_a_track():
    watch = Watch()

    watch.see(sight(person_at(100)))
    watch.see_nothing(for_s=3)

    assert watch.ids == set()


@pytest.mark.parametrize("every_s", [0.5, 1.0])
def test_at_a_low_frame_rate_a_person_appears_in_the_second_frame(every_s):
    watch = Watch()

    watch.see(sight(person_at(100), score=0.55), after_s=every_s)
    told = watch.see(sight(person_at(110), score=0.55), after_s=every_s)

    assert [track.track_id for track in told] == [1]


@pytest.mark.parametrize("score", [0.5, 0.7, 0.95])
def test_at_ten_frames_a_second_a_person_appears_within_a_third_of_a_second(score):
    watch = Watch()

    told = [watch.see(sight(person_at(100 + 3 * frame), score=score)) for frame in range(5)]

    first = next(frame for frame, tracks in enumerate(told) if tracks)
    assert 1 <= first <= 3


def test_a_sure_detection_convinces_sooner_than_one_that_barely_counts():
    sure, unsure = Watch(), Watch()

    sooner = [bool(sure.see(sight(person_at(100), score=0.95))) for _ in range(5)].index(True)
    later = [bool(unsure.see(sight(person_at(100), score=0.5))) for _ in range(5)].index(True)

    assert sooner < later


def test_a_track_says_what_was_seen_of_it():
    watch = Watch()
    for score in (0.9, 0.95, 0.8):
        watch.see(sight(person_at(100), score=score))

    track = watch.told[0]

    assert (track.label, track.class_id, track.frames, track.stationary) == ("person", 0, 3, False)
    assert track.score == pytest.approx(0.8)
    assert track.top_score == pytest.approx(0.95)
    assert (track.first_seen_ns, track.last_seen_ns) == (100_000_000, 300_000_000)
    assert (track.box.x1, track.box.y2) == (pytest.approx(100, abs=1), pytest.approx(200, abs=1))


def test_a_track_out_of_sight_goes_on_for_its_patience_and_then_leaves():
    watch = Watch()
    for step in range(25):
        watch.see(sight(person_at(100 + 5 * step)))

    assert watch.see_nothing(for_s=1.5)
    assert watch.told[0].last_seen_ns == 2_500_000_000
    assert not watch.see_nothing(for_s=1.0)


def test_what_was_seen_for_a_moment_is_awaited_for_a_moment():
    watch = Watch()
    for _ in range(3):
        watch.see(sight(person_at(100)))

    assert not watch.see_nothing(for_s=0.8)


def test_a_person_behind_a_pillar_comes_out_as_the_same_person():
    watch = Watch()
    for step in range(20):
        watch.see(sight(person_at(100 + 8 * step)))

    watch.see_nothing(for_s=1.0)
    told = watch.see(sight(person_at(100 + 8 * 30)))

    assert [track.track_id for track in told] == [1]


def test_a_weak_detection_continues_a_track_but_never_starts_one():
    watch = Watch()
    for _ in range(10):
        watch.see(sight(person_at(500), score=0.3))
    assert not watch.told

    watch.see_still(person_at(100), for_s=1)
    watch.see_still(person_at(100), for_s=5, score=0.3)

    assert [track.track_id for track in watch.told] == [1]
    assert watch.told[0].score == pytest.approx(0.3)


def test_a_car_that_fades_for_a_while_keeps_its_name():
    """As one in a recording does whose model finds it only just: weak detections after missed frames continue it."""
    watch = Watch()
    for step in range(20):
        watch.see(sight(person_at(100 + 8 * step)))
    watch.see_nothing(for_s=0.5)

    told = watch.see(sight(person_at(100 + 8 * 25), score=0.3))

    assert [(track.track_id, track.last_seen_ns) for track in told] == [(1, 2_600_000_000)]


@pytest.mark.parametrize("every_s", [0.1, 0.5, 2.0])
def test_one_missed_frame_is_no_absence_for_what_stands_still(every_s):
    watch = Watch()
    watch.see_still(person_at(100), for_s=50 * every_s, every_s=every_s)

    watch.see_nothing(for_s=2 * every_s, every_s=every_s)
    told = watch.see(sight(person_at(100), score=0.3), after_s=every_s)

    assert [track.last_seen_ns for track in told] == [round(watch.now_s * 1e9)]


def test_of_two_who_may_be_meant_it_is_the_one_seen_last():
    watch = Watch()
    for _ in range(10):
        watch.see(sight(person_at(100), person_at(136)))
    for _ in range(6):
        watch.see(sight(person_at(136)))

    told = watch.see(sight(person_at(120)))

    assert [track.track_id for track in told if track.last_seen_ns == round(watch.now_s * 1e9)] == [2]


def test_each_class_starts_at_its_own_score():
    watch = Watch(Tracker(TrackerSettings(LABELS, (0.8, 0.4))))
    both = as_detections([person_at(100), person_at(400)], [0.6, 0.6], [0, 1])

    for _ in range(6):
        watch.see(both)

    assert [track.label for track in watch.told] == ["car"]


def test_two_people_who_cross_keep_their_names():
    watch = Watch()
    for step in range(60):
        watch.see(sight(person_at(100 + 6 * step), person_at(460 - 6 * step, 118)))

    names = {round(track.box.x1 / 50): track.track_id for track in watch.told}

    assert names == {round(454 / 50): 1, round(106 / 50): 2}
    assert watch.ids == {1, 2}


def test_a_person_and_a_motorcycle_in_one_place_are_two_tracks():
    watch = Watch()
    both = as_detections([person_at(100), person_at(103)], [0.9, 0.8], [0, 1])

    for _ in range(20):
        watch.see(both)

    assert sorted(track.label for track in watch.told) == ["car", "person"]
    assert watch.ids == {1, 2}


def test_one_frame_under_another_name_changes_neither_track_nor_label():
    watch = Watch()
    watch.see_still(person_at(100), for_s=1)

    watch.see(sight(person_at(100), class_id=1))

    assert [(track.track_id, track.label) for track in watch.told] == [(1, "person")]


def test_a_thing_that_keeps_another_name_takes_it_and_stays_the_same_track():
    watch = Watch()
    watch.see_still(person_at(100), for_s=1)

    for _ in range(15):
        watch.see(sight(person_at(100), class_id=1))

    assert [(track.track_id, track.label) for track in watch.told] == [(1, "car")]
    assert watch.ids == {1}


def test_a_class_without_a_label_is_called_by_its_number():
    watch = Watch()

    for _ in range(5):
        watch.see(sight(person_at(100), class_id=7))

    assert [track.label for track in watch.told] == ["7"]


def test_at_one_frame_a_second_a_walker_who_leaves_his_box_each_time_is_one_track():
    watch = Watch()

    for step in range(20):
        watch.see(sight(person_at(100 + 45 * step)), after_s=1.0)

    assert watch.ids == {1}


def test_frames_may_come_as_they_like():
    watch = Watch()
    for after_s in (0.02, 0.5, 0.1, 0.9, 0.03, 0.03, 0.7, 0.0, 0.2, 1.5, 0.1):
        watch.now_s += after_s
        watch.see(sight(person_at(100 + 40 * watch.now_s)), after_s=0.0)

    assert watch.ids == {1}


def test_a_time_that_runs_backwards_stands_still():
    watch = Watch()
    watch.see_still(person_at(100), for_s=1)

    told = watch.see(sight(person_at(100)), after_s=-5)

    assert [track.track_id for track in told] == [1]
    assert told[0].last_seen_ns == 1_000_000_000


def test_after_a_minute_without_a_frame_a_walker_is_somebody_else():
    watch = Watch()
    for step in range(20):
        watch.see(sight(person_at(100 + 5 * step)))

    watch.now_s += 60
    for _ in range(5):
        watch.see(sight(person_at(200)))

    assert watch.ids == {1, 2}


def test_after_a_short_stall_of_the_camera_a_walker_is_the_same():
    watch = Watch()
    for step in range(20):
        watch.see(sight(person_at(100 + 5 * step)))

    told = watch.see(sight(person_at(300)), after_s=2.0)

    assert [track.track_id for track in told] == [1]


def test_no_detection_and_no_track_is_no_work():
    assert make_tracker().update(Detections.empty(), 5) == ()


def test_boxes_without_size_do_no_harm():
    watch = Watch()
    nothing = as_detections([(5, 5, 5, 5), (9, 9, 3, 3)], [0.9, 0.8], [0, 0])

    for _ in range(5):
        told = watch.see(nothing)

    assert all(np.isfinite([track.box.x1, track.box.y1, track.box.x2, track.box.y2]).all() for track in told)


def test_a_tracker_may_be_told_where_its_ids_begin():
    watch = Watch(Tracker(TrackerSettings(LABELS), first_id=100))

    watch.see_still(person_at(100), for_s=1)

    assert watch.ids == {100}
