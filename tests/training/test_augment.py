"""Training pictures: the same from the same seed, with boxes that still hold their objects."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.sets import sample
from tools.training.augment import Augmenter, Settings
from tools.training.damage import add_noise, blur, darken, smear

GREEN = (20, 230, 20)


def augmenter(*, outlined: bool = False, **settings) -> Augmenter:
    """One picture: a green object on grey."""
    image = np.full((120, 160, 3), 128, np.uint8)
    image[40:80, 50:90] = GREEN
    return Augmenter([sample([(50, 40, 90, 80)], outlined=outlined)], [image], np.ones(1), Settings(96, **settings))


def test_the_same_number_gives_the_same_picture():
    maker = augmenter(outlined=True)

    one, other, next_one = (maker.view(np.random.default_rng([7, number])) for number in (3, 3, 4))

    assert np.array_equal(one.image, other.image)
    assert np.array_equal(one.boxes, other.boxes)
    assert not np.array_equal(one.image, next_one.image)


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_boxes_lie_inside_and_follow_their_object(mosaic):
    maker, near_middle = augmenter(mosaic=mosaic, paste=0.0), []
    for number in range(60):
        view = maker.view(np.random.default_rng([1, number]))

        assert view.image.shape == (96, 96, 3)
        assert ((view.boxes >= 0) & (view.boxes <= 96)).all()
        assert len(view.boxes) == len(view.classes) == len(view.ignored)
        for x1, y1, x2, y2 in view.boxes[~view.ignored].round().astype(int):
            pixel = view.image[min((y1 + y2) // 2, 95), min((x1 + x2) // 2, 95)].astype(int)
            near_middle.append(np.ptp(pixel) > 25)  # coloured, whatever the light; grey pictures are seldom
    assert np.mean(near_middle) > 0.7


def test_outlined_objects_are_pasted_in():
    plain = [len(augmenter(mosaic=0.0, paste=0.0).view(np.random.default_rng([2, n])).boxes) for n in range(20)]
    pasted = [
        len(augmenter(outlined=True, mosaic=0.0, paste=1.0).view(np.random.default_rng([2, n])).boxes)
        for n in range(20)
    ]

    assert sum(pasted) > sum(plain) + 10


def test_damages_do_what_they_say():
    rng = np.random.default_rng(0)
    edge = np.zeros((64, 64, 3), np.uint8)
    edge[:, 32:] = 200

    assert darken(edge, 0.1, rng)[:, 40:].mean() < 100
    assert 2 < np.ptp(blur(edge, 2.0)[32, 28:36, 0]) < 200
    assert np.array_equal(smear(edge, 9, 0.0)[:, :20], edge[:, :20])
    assert smear(edge, 9, 0.0)[32, 30, 0] > 0
    assert np.std(add_noise(np.full((64, 64, 3), 128, np.uint8), 20, rng)) == pytest.approx(20, rel=0.1)
