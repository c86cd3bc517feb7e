"""A camera that is turned moves everything in its picture, what is hidden just then too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.track.sway import common_shift
from tests.track.scenes import Watch, person_at, sight


@pytest.mark.parametrize(
    ("surprises", "shift"),
    [
        ([10.0, 11.0, 9.0, 10.0], 10.0),
        ([10.0, 11.0, 9.0, 10.0, -30.0], 10.0),  # one of five went his own way
        ([10.0, 11.0, -9.0, 10.0], 0.0),
        ([1.0, 30.0, 2.0, 12.0], 0.0),  # all to the right, each as he likes
        ([0.0, 0.0, 0.0, 0.0], 0.0),
    ],
)
def test_a_shift_is_what_nearly_all_agree_on(surprises, shift):
    assert common_shift([surprises, [0.0] * len(surprises)]) == (pytest.approx(shift, abs=0.5), 0.0)


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=50))
def test_it_is_never_more_than_somebody_moved(surprises):
    (shift,) = common_shift([surprises])

    assert shift == 0.0 or min(surprises) <= shift <= max(surprises)


def turned(pushed_px: float, *, frames: int = 10) -> set[int]:
    """The ids of five people, one of whom is hidden while the camera is pushed to the side."""
    watch, offset = Watch(), 0.0
    places = [100.0, 400.0, 700.0, 1000.0, 1300.0]
    for frame in range(60):
        is_pushed = 30 <= frame < 30 + frames
        offset += pushed_px if is_pushed else 0.0
        seen = [place for index, place in enumerate(places) if not (is_pushed and index == 2)]
        watch.see(sight(*(person_at(place + offset + 3.0 * frame) for place in seen)))
    return watch.ids


def test_who_is_hidden_while_the_camera_is_turned_is_the_same_afterwards():
    assert len(turned(9.0)) == 5


def test_who_is_hidden_before_a_camera_that_stands_still_is_the_same_afterwards():
    assert len(turned(0.0)) == 5


def test_what_stands_still_out_of_sight_stays_where_it_was():
    """A crowd that turns round at once is no reason to look for a parked car elsewhere."""
    watch = Watch()
    rng = np.random.default_rng(2)
    for frame in range(100):
        crowd = [person_at(500 + 60 * index + 4 * min(frame, 160 - frame)) for index in range(6)]
        car = [] if 60 <= frame < 90 else [person_at(100 + rng.normal(0, 1))]
        told = watch.see(sight(*crowd, *car))

    parked = [track for track in told if track.stationary]
    assert len(parked) == 1
    assert parked[0].box.x1 == pytest.approx(person_at(100)[0], abs=5)
