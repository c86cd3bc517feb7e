from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.exact_pixels import yuv_to_bgr


def plane(*values: int) -> np.ndarray:
    return np.array([values], np.uint8)


@pytest.mark.parametrize(
    ("yuv", "is_full", "bgr"),
    [
        ((16, 128, 128), False, [0, 0, 0]),
        ((235, 128, 128), False, [255, 255, 255]),
        ((255, 128, 128), True, [255, 255, 255]),
        ((81, 90, 240), False, [0, 0, 254]),  # BT.601's red, green and blue
        ((145, 54, 34), False, [1, 255, 0]),
        ((41, 240, 110), False, [255, 0, 0]),
    ],
)
def test_known_colours(yuv, is_full, bgr):
    y, u, v = yuv

    assert yuv_to_bgr(plane(y), [plane(u), plane(v)], is_full=is_full).tolist() == [[bgr]]


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_it_is_the_formula_of_bt601_to_the_nearest_step(yuv):
    y, u, v = yuv
    luma, u0, v0 = (y - 16) * 255 / 219, (u - 128) * 255 / 112, (v - 128) * 255 / 112
    blue, red = luma + 0.886 * u0, luma + 0.701 * v0
    green = luma - 0.886 * 0.114 / 0.587 * u0 - 0.701 * 0.299 / 0.587 * v0

    found = yuv_to_bgr(plane(y), [plane(u), plane(v)], is_full=False)

    assert found[0, 0] == pytest.approx(np.clip([blue, green, red], 0, 255), abs=0.51)


def test_a_coarse_sample_counts_for_all_pixels_it_covers():
    luma = np.full((3, 5), 100, np.uint8)
    u, v = np.full((2, 3), 128, np.uint8), np.full((2, 3), 128, np.uint8)
    v[1, 2] = 200

    found = yuv_to_bgr(luma, [u, v], is_full=False)

    reddest = found[..., 2] == found[..., 2].max()
    assert np.argwhere(reddest).tolist() == [[2, 4]]
    assert found.shape == (3, 5, 3)
    assert found.flags.c_contiguous


def test_a_grey_picture_is_grey():
    assert yuv_to_bgr(plane(0, 7, 255), [], is_full=True).tolist() == [[[0] * 3, [7] * 3, [255] * 3]]
