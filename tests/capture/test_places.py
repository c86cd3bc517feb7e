"""Where something moves: what has changed in the small picture, gathered into a few boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.capture.glancing import Glancer
from edge.capture.places import find_places

WIDTH, HEIGHT = 320, 180
SECOND = 1_000_000_000


def changed(*boxes: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """255 in each box of x, y, width, height."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y, width, height in boxes:
        mask[y : y + height, x : x + width] = 255
    return mask


def test_nothing_has_changed_nowhere() -> None:
    assert find_places(changed()) == ()


def test_each_thing_has_its_place_the_larger_one_first() -> None:
    large, small = find_places(changed((10, 20, 6, 8), (200, 90, 20, 40)))

    assert large == pytest.approx((200 / 320, 90 / 180, 224 / 320, 131 / 180), abs=0.01)
    assert small == pytest.approx((8 / 320, 16 / 180, 16 / 320, 32 / 180), abs=0.01)


def test_single_pixels_are_noise_and_three_together_are_a_thing() -> None:
    assert find_places(changed((50, 50, 1, 1), (150, 90, 2, 1))) == ()
    assert len(find_places(changed((50, 52, 1, 3)))) == 1


def test_when_less_is_to_be_seen_small_things_go_first() -> None:
    assert find_places(changed((50, 52, 2, 4)), tightness=2.0) == ()
    assert len(find_places(changed((50, 52, 6, 8)), tightness=2.0)) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(1, 90), st.integers(1, 90)),
        max_size=20,
    )
)
def test_all_that_is_told_lies_in_the_picture_and_little_is_told(boxes: list[tuple[int, int, int, int]]) -> None:
    mask = changed(*boxes)

    places = find_places(mask)

    assert len(places) <= 8
    assert places == find_places(mask.copy())
    for left, top, right, bottom in places:
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1


def picture(*, x: int | None = None) -> NDArray[np.uint8]:
    """A wide camera's; at ``x`` somebody far off, too small for the motion gate."""
    image = np.full((1080, 1920, 3), 90, np.uint8)
    if x is not None:
        image[600:640, x : x + 18] = 230
    return image


def test_somebody_far_off_is_no_motion_to_the_gate_but_asks_for_a_look_where_places_are_wanted() -> None:
    usual, finding = Glancer(), Glancer(finds_places=True)
    for glancer in (usual, finding):
        glancer.look(picture(), SECOND)
        glancer.look(picture(), SECOND + 1)

    unseen, seen = (glancer.look(picture(x=900), SECOND + 2) for glancer in (usual, finding))

    assert (unseen.asks, unseen.moving) == (False, ())
    assert (seen.asks, seen.moved) == (True, False)
    ((left, top, right, bottom),) = seen.moving
    assert left <= 905 / 1920 <= right
    assert top <= 620 / 1080 <= bottom


def test_nobody_is_looked_for_where_motion_is_ignored() -> None:
    glancer = Glancer([((0.4, 0.5), (0.6, 0.5), (0.6, 0.7), (0.4, 0.7))], finds_places=True)
    glancer.look(picture(), SECOND)
    glancer.look(picture(), SECOND + 1)

    assert glancer.look(picture(x=900), SECOND + 2).moving == ()
    assert len(glancer.look(picture(x=1500), SECOND + 3).moving) == 1
