from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.geometry import (
    Boxes,
    areas,
    centre_to_corner,
    clip_boxes,
    pairwise_iou,
    place_letterbox,
    place_stretch,
)

SIZES = st.tuples(st.integers(1, 5000), st.integers(1, 5000))


def boxes(*rows: tuple[float, float, float, float]) -> Boxes:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_two_boxes_that_share_a_third_of_their_union() -> None:
    assert pairwise_iou(boxes((0, 0, 2, 2)), boxes((1, 0, 3, 2)))[0, 0] == pytest.approx(1 / 3)


def test_boxes_that_only_touch_share_nothing() -> None:
    assert pairwise_iou(boxes((0, 0, 2, 2)), boxes((2, 0, 4, 2)))[0, 0] == 0.0


def test_empty_boxes_share_nothing_not_even_with_themselves() -> None:
    assert pairwise_iou(boxes((3, 3, 3, 3)), boxes((3, 3, 3, 3)))[0, 0] == 0.0


def test_no_boxes_give_an_empty_table() -> None:
    assert pairwise_iou(boxes(), boxes((0, 0, 1, 1))).shape == (0, 1)


def test_a_box_inside_out_has_no_area() -> None:
    assert areas(boxes((5, 5, 1, 1), (0, 0, 2, 3))).tolist() == [0.0, 6.0]


def test_a_centre_and_a_size_become_corners() -> None:
    assert centre_to_corner(boxes((10, 20, 4, 6))).tolist() == [[8, 17, 12, 23]]


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    assert clip_boxes(boxes((-5, -5, 30, 8)), width=20, height=10).tolist() == [[0, 0, 20, 8]]


def test_a_wide_picture_is_letterboxed_in_the_middle() -> None:
    placement, size = place_letterbox(source=(1280, 720), target=(416, 416))

    assert size == (416, 234)
    assert (placement.left, placement.top) == (0, 91)


@given(source=SIZES, target=SIZES, data=st.data())
def test_placing_and_mapping_back_is_the_identity(
    source: tuple[int, int], target: tuple[int, int], data: st.DataObject
) -> None:
    x = sorted(data.draw(st.tuples(*[st.floats(0, source[0], width=32)] * 2)))
    y = sorted(data.draw(st.tuples(*[st.floats(0, source[1], width=32)] * 2)))
    box = boxes((x[0], y[0], x[1], y[1]))

    for placement in (place_letterbox(source=source, target=target)[0], place_stretch(source=source, target=target)):
        back = placement.to_source(placement.to_input(box))

        # float32 has 24 bits: coordinates up to 5000 pixels, divided by scales down to 1/5000
        assert np.allclose(back, box, atol=2e-3 * max(source) / min(1000, *target) + 2e-3)


@given(source=SIZES, target=SIZES)
def test_a_letterboxed_picture_fits_and_touches_two_sides(source: tuple[int, int], target: tuple[int, int]) -> None:
    placement, (width, height) = place_letterbox(source=source, target=target)

    assert 1 <= width <= target[0]
    assert 1 <= height <= target[1]
    assert width == target[0] or height == target[1]
    assert 0 <= placement.left <= target[0] - width
    assert 0 <= placement.top <= target[1] - height
