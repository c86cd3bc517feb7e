"""What the tracker is shown: sizes that can be, and no ignored areas."""

from __future__ import annotations

import pytest

from edge.core.values import Detections, as_detections
from edge.track.attention import Attention, SizeLimits
from edge.track.wanted import Wanted
from tests.builders import make_frame

LABELS = ("person", "car")
FRAME = make_frame(size=(200, 100))
TOP_HALF = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)]


def shown(detections: Detections, **settings: object) -> list[list[float]]:
    attention = Attention(Wanted(LABELS), LABELS, **settings)  # type: ignore[arg-type]
    return attention.select(detections, FRAME).boxes.tolist()


def test_without_areas_and_sizes_all_that_is_wanted_is_shown() -> None:
    detections = as_detections([[0, 0, 10, 10], [0, 0, 200, 100]], [0.9, 0.1], [0, 1])

    assert shown(detections) == [[0, 0, 10, 10]]


def test_what_stands_in_an_ignored_area_is_not_there() -> None:
    high, low, over = [10, 10, 20, 40], [10, 60, 20, 90], [50, 10, 60, 90]
    detections = as_detections([high, low, over], [0.9, 0.8, 0.7], [0, 0, 1])

    assert shown(detections, ignored=[TOP_HALF]) == [low, over]
    assert shown(detections, ignored=[TOP_HALF], anchor="centre") == [low, over]
    assert shown(as_detections([[50, 10, 60, 80]], [0.9], [0]), ignored=[TOP_HALF], anchor="centre") == []


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ({"default": SizeLimits(least=0.01)}, [1, 2]),
        ({"default": SizeLimits(most=0.4)}, [0, 1]),
        ({"person": SizeLimits(least=0.2)}, [2]),
        ({"car": SizeLimits(most=0.2)}, [0, 1]),
        ({"default": SizeLimits(most=0.4), "car": SizeLimits()}, [0, 1, 2]),
    ],
)
def test_what_is_too_small_or_too_large_is_not_there(sizes: dict[str, SizeLimits], kept: list[int]) -> None:
    boxes = [[0, 0, 10, 10], [0, 0, 40, 50], [0, 0, 100, 100]]  # 0.005, 0.1 and 0.5 of the picture
    detections = as_detections(boxes, [0.9, 0.9, 0.9], [0, 0, 1])

    assert shown(detections, sizes=sizes) == [boxes[i] for i in kept]


def test_what_was_dropped_is_not_published_either() -> None:
    attention = Attention(Wanted(LABELS), LABELS, ignored=[TOP_HALF])
    detections = as_detections([[10, 10, 20, 40], [10, 60, 20, 90]], [0.9, 0.3], [0, 0])

    assert len(attention.confident(attention.select(detections, FRAME))) == 0
