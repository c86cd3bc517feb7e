"""Pictures for people: boxes where they belong, labels that can be read and stay inside."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.core.values import Detections, as_detections
from edge.report.drawing import class_colour, draw_detections

LABELS = ("person", "car")


def _grey(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 114, np.uint8)


def _one(*box: float, score: float = 0.8, class_id: int = 0) -> Detections:
    return as_detections([box], [score], [class_id])


def test_the_outline_lies_on_the_box_in_the_colour_of_the_class() -> None:
    drawn = draw_detections(_grey(), _one(50, 80, 200, 180, class_id=1), LABELS)

    colour = class_colour(1)
    assert tuple(drawn[130, 50]) == colour
    assert tuple(drawn[130, 199]) == colour
    assert tuple(drawn[179, 120]) == colour
    assert tuple(drawn[130, 120]) == (114, 114, 114)


def test_the_picture_given_is_left_as_it_is() -> None:
    image = _grey()

    draw_detections(image, _one(50, 80, 200, 180), LABELS)

    assert (image == 114).all()


def test_nothing_seen_is_nothing_drawn() -> None:
    image = _grey()

    drawn = draw_detections(image, Detections.empty(), LABELS)

    assert (drawn == image).all()
    assert drawn is not image


def test_each_class_has_a_colour_far_from_its_neighbours() -> None:
    colours = [class_colour(class_id) for class_id in range(80)]

    assert len(set(colours)) >= 79
    assert all(sum(abs(a - b) for a, b in zip(one, two, strict=True)) > 100 for one, two in pairwise(colours))


@pytest.mark.parametrize(
    "box",
    [(0, 0, 60, 60), (300, 0, 320, 20), (250, 220, 320, 240), (0, 200, 30, 240), (-50, -50, 400, 400)],
    ids=["top left", "top right", "bottom right", "bottom left", "larger than the picture"],
)
def test_a_label_at_the_rim_is_whole(box: tuple[float, ...]) -> None:
    class_id, colour = 0, class_colour(0)
    wide = draw_detections(_grey(), _one(100, 100, 101, 101), LABELS)
    plate = int((wide == colour).all(axis=2).sum())

    drawn = draw_detections(_grey(), _one(*box, class_id=class_id), LABELS)

    assert int((drawn == colour).all(axis=2).sum()) >= plate * 0.9


def test_a_box_outside_the_picture_is_not_drawn() -> None:
    assert (draw_detections(_grey(), _one(400, 300, 500, 400), LABELS) == 114).all()


def test_lines_grow_with_the_picture() -> None:
    def line_px(side: int) -> int:
        drawn = draw_detections(_grey(side, side), _one(side * 0.3, side * 0.3, side * 0.7, side * 0.7), LABELS)
        return int((drawn[side // 2, : side // 2] != 114).any(axis=1).sum())

    assert line_px(2400) > line_px(640) >= line_px(160) >= 1


@pytest.mark.parametrize("labels", [(), ("",), ("Fußgänger",), ("人",)])
def test_any_label_can_be_drawn(labels: tuple[str, ...]) -> None:
    assert (draw_detections(_grey(), _one(50, 80, 200, 180), labels) != 114).any()


@settings(max_examples=50)
@given(
    box=st.tuples(*[st.floats(-1e6, 1e6, width=32) for _ in range(4)]),
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
)
def test_no_box_and_no_size_breaks_it(box: tuple[float, ...], size: tuple[int, int]) -> None:
    drawn = draw_detections(_grey(*size), _one(*box), LABELS)

    assert drawn.shape == (size[1], size[0], 3)


def test_a_box_of_no_number_is_left_out() -> None:
    assert (draw_detections(_grey(), _one(float("nan"), 0, 10, 10), LABELS) == 114).all()


@pytest.mark.shared
def test_a_real_picture_keeps_its_size(shared: Path) -> None:
    import cv2

    image = np.ascontiguousarray(cv2.imread(str(shared / "data" / "images" / "bus.jpg"))[:, :, ::-1])

    drawn = draw_detections(image, _one(20, 230, 800, 760), LABELS)

    assert drawn.shape == image.shape
    assert (drawn[300:700, 100:700] == image[300:700, 100:700]).all()
