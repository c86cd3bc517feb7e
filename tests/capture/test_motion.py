"""What counts as motion, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.capture.glancing import Glancer
from edge.capture.mishaps import Mishaps
from edge.capture.motion import MotionMeter
from edge.capture.small_picture import small_grey, stride_for

WIDTH, HEIGHT = 320, 240
Grey = NDArray[np.uint8]


def scene(*, light: int = 0, box: tuple[int, int, int, int] | None = None) -> Grey:
    """A dim slope; ``box`` : x, y, width, height of something bright."""
    picture = np.tile(np.linspace(60, 160, WIDTH), (HEIGHT, 1)) + light
    if box is not None:
        x, y, width, height = box
        picture[y : y + height, x : x + width] = 240
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture
def meter() -> MotionMeter:
    meter = MotionMeter()
    meter.measure(scene())
    return meter


def test_the_first_picture_is_all_new() -> None:
    assert MotionMeter().measure(scene()).moved


def test_nothing_moves_in_the_same_scene_with_noise(meter: MotionMeter) -> None:
    noise = np.random.default_rng(1).normal(0, 4, (HEIGHT, WIDTH))

    assert not meter.measure(np.clip(scene() + noise, 0, 255).astype(np.uint8)).moved


def test_somebody_who_comes_in_moves_and_then_belongs_to_the_scene(meter: MotionMeter) -> None:
    came = scene(box=(40, 100, 30, 80))

    assert meter.measure(came).moved
    assert not meter.measure(came).moved
    assert meter.measure(scene()).moved


def test_something_small_is_seen_where_it_fills_half_a_cell(meter: MotionMeter) -> None:
    assert meter.measure(scene(box=(64, 96, 14, 14))).moved
    assert not meter.measure(scene(box=(64, 96, 14, 14))).moved


def test_leaves_that_flicker_here_and_there_move_nothing(meter: MotionMeter) -> None:
    picture = scene()
    picture[::16, ::16] = 250

    assert not meter.measure(picture).moved


def test_slow_motion_adds_up(meter: MotionMeter) -> None:
    """Two pixels a frame of a wide thing: no single step is enough."""
    meter.measure(scene(box=(10, 50, 60, 30)))

    moved = [meter.measure(scene(box=(10 + 2 * i, 50, 60, 30))).moved for i in range(1, 12)]

    assert not moved[0]
    assert any(moved)


@pytest.mark.parametrize("light", [-40, -15, 15, 40])
def test_another_exposure_moves_nothing(meter: MotionMeter, light: int) -> None:
    assert not meter.measure(scene(light=light)).moved


def test_another_exposure_hides_nobody(meter: MotionMeter) -> None:
    assert meter.measure(scene(light=-30, box=(40, 100, 30, 80))).moved


def test_nothing_counts_in_ignored_areas() -> None:
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    meter = MotionMeter([left, left])
    meter.measure(scene())

    assert not meter.measure(scene(box=(40, 100, 30, 80))).moved
    assert meter.measure(scene(box=(240, 100, 30, 80))).moved


def test_a_picture_that_is_ignored_as_a_whole_never_moves() -> None:
    everything = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    meter = MotionMeter([everything])
    meter.measure(scene())

    assert not meter.measure(scene(box=(40, 100, 30, 80))).moved


def test_another_size_is_another_scene(meter: MotionMeter) -> None:
    assert meter.measure(scene()[:, :200].copy()).moved


def test_a_tighter_gate_overlooks_what_the_usual_one_sees(meter: MotionMeter) -> None:
    meter.tighten(4.0)

    assert not meter.measure(scene(box=(40, 100, 30, 50))).moved
    meter.tighten(1.0)
    assert meter.measure(scene(box=(40, 100, 30, 50))).moved


@pytest.mark.parametrize(("width", "stride"), [(1, 1), (319, 1), (640, 2), (768, 2), (1280, 4), (1920, 6), (4096, 12)])
def test_the_small_picture_has_about_320_pixels_across(width: int, stride: int) -> None:
    assert stride_for(width) == stride
    assert small_grey(np.zeros((48, width, 3), np.uint8)).shape[1] == -(-width // stride)


def test_a_glance_knows_the_same_picture_again_and_looks_at_the_lens_three_times_a_second() -> None:
    glancer, picture = Glancer(mishaps=Mishaps(unreadable=3)), np.repeat(scene()[:, :, None], 3, axis=2)

    glances = [glancer.look(picture, i * 100_000_000) for i in range(10)]
    after_backward_clock = glancer.look(picture, -(10**12))

    assert [glance.is_same for glance in glances] == [False] + [True] * 9
    assert [i for i, glance in enumerate(glances) if glance.lens] == [0, 4, 8]
    assert after_backward_clock.lens is not None
    assert glances[0].unreadable == 3


def test_a_glance_asks_for_a_look_at_what_moves_at_what_came_to_rest_and_now_and_then() -> None:
    glancer = Glancer(keepalive_s=2.0)
    still, moved = (np.repeat(each[:, :, None], 3, axis=2) for each in (scene(), scene(box=(40, 100, 30, 80))))
    pictures = [still] * 25 + [moved] * 25

    asks = [i for i, picture in enumerate(pictures) if glancer.look(picture, i * 125_000_000).asks]

    assert asks == [0, 1, 17, 25, 26, 42]


def test_a_glance_keeps_no_hold_of_the_picture() -> None:
    """The next frame may be written where this one lies."""
    glancer, picture = Glancer(), np.repeat(scene()[:, :, None], 3, axis=2)
    glancer.look(picture, 0)
    picture[:] = 255

    assert not glancer.look(picture, 1).is_same
