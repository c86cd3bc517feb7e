"""Regions: a closer look where something moves, and where something was found that stands still now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model import Family
from edge.core.values import Detections, Frame, StageTimes, as_detections
from edge.infer.parted import PartedDetector
from edge.infer.parts import Part, merge_found
from edge.infer.regions import Regions
from tests.builders import make_frame
from tests.fakes_infer import model_of
from tests.infer.layouts import make_layout

INPUT = 256
WIDE = (1920, 1080)
NOTHING = Detections.empty()
MODEL = model_of(make_layout(Family.YOLOV8, size=(INPUT, INPUT)))
Corners = tuple[float, float, float, float]


def frame_of(size: tuple[int, int] = WIDE, *, moving: tuple[Corners, ...] = ()) -> Frame:
    """``moving`` : in pixels."""
    width, height = size
    places = tuple((a / width, b / height, c / width, d / height) for a, b, c, d in moving)
    return replace(make_frame(size=size), moving=places)


def found(*boxes: Corners, score: float = 0.9) -> Detections:
    return as_detections([list(box) for box in boxes], [score] * len(boxes), [0] * len(boxes))


def centre(box: Corners) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def holds(part: Part, box: Corners) -> bool:
    return part.left <= box[0] and part.top <= box[1] and box[2] <= part.right and box[3] <= part.bottom


corner = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 0.5), st.floats(0.001, 0.5))


@given(
    size=st.tuples(st.integers(16, 2500), st.integers(16, 2500)),
    corners=st.lists(corner, max_size=8),
    most=st.integers(1, 4),
)
def test_regions_lie_in_the_frame_are_few_and_show_more_than_the_whole_picture(
    size: tuple[int, int], corners: list[Corners], most: int
) -> None:
    width, height = size
    moving = tuple(
        (x * width * 0.5, y * height * 0.5, (x * 0.5 + w) * width, (y * 0.5 + h) * height) for x, y, w, h in corners
    )

    parts = Regions(MODEL, most).choose(frame_of(size, moving=moving), NOTHING)

    assert len(parts) <= most
    for part in parts:
        assert 0 <= part.left < part.right <= width
        assert 0 <= part.top < part.bottom <= height
        scale = max((part.right - part.left) / INPUT, (part.bottom - part.top) / INPUT)
        assert scale * 1.3 <= max(width / INPUT, height / INPUT)


def test_a_small_thing_that_moves_is_shown_as_the_camera_shows_it() -> None:
    thing = (900.0, 600.0, 918.0, 640.0)

    (part,) = Regions(MODEL, 2).choose(frame_of(moving=(thing,)), NOTHING)

    assert (part.right - part.left, part.bottom - part.top) == (INPUT, INPUT)
    assert ((part.left + part.right) / 2, (part.top + part.bottom) / 2) == pytest.approx(centre(thing), abs=1)


def test_a_larger_thing_has_a_larger_region_and_what_the_whole_picture_shows_as_well_has_none() -> None:
    regions = Regions(MODEL, 2)

    (part,) = regions.choose(frame_of(moving=((500, 300, 700, 700),)), NOTHING)

    assert holds(part, (500, 300, 700, 700))
    assert part.right - part.left == 600
    assert regions.choose(frame_of(moving=((200, 0, 1500, 1080),)), NOTHING) == []


def test_things_close_together_share_a_region() -> None:
    moving = ((900.0, 600.0, 918.0, 640.0), (960.0, 610.0, 980.0, 650.0))

    (part,) = Regions(MODEL, 2).choose(frame_of(moving=moving), NOTHING)

    assert all(holds(part, thing) for thing in moving)


def test_what_the_whole_picture_is_sure_of_needs_no_closer_look() -> None:
    frame = frame_of(moving=((900, 600, 918, 640),))

    assert Regions(MODEL, 2).choose(frame, found((895, 590, 925, 650), score=0.8)) == []
    assert len(Regions(MODEL, 2).choose(frame, found((895, 590, 925, 650), score=0.4))) == 1


def test_more_places_than_regions_take_turns() -> None:
    moving = ((100.0, 100.0, 110.0, 120.0), (900.0, 100.0, 910.0, 120.0), (1700.0, 100.0, 1710.0, 120.0))
    regions = Regions(MODEL, 2)

    looks = [regions.choose(frame_of(moving=moving), NOTHING) for _ in range(3)]

    counts = [sum(holds(part, thing) for parts in looks for part in parts) for thing in moving]
    assert counts == [2, 2, 2]


def test_who_stands_still_is_still_looked_at_until_he_is_looked_for_in_vain_often_enough() -> None:
    person = (900.0, 600.0, 918.0, 640.0)
    regions = Regions(MODEL, 2)
    regions.choose(frame_of(moving=(person,)), NOTHING)
    regions.learn(found(person))

    standing = []
    for _ in range(20):
        standing.append(len(regions.choose(frame_of(), NOTHING)))
        regions.learn(found(person))
    leaving = []
    for _ in range(8):
        leaving.append(len(regions.choose(frame_of(), NOTHING)))
        regions.learn(NOTHING)

    assert standing == [1] * 20
    assert leaving == [1] * 6 + [0] * 2


def test_another_size_of_picture_forgets_the_places_of_the_one_before() -> None:
    regions = Regions(MODEL, 2)
    regions.choose(frame_of(), NOTHING)
    regions.learn(found((900, 600, 918, 640)))

    assert regions.choose(frame_of((1280, 720)), NOTHING) == []


def test_a_frame_whose_picture_is_the_small_one_alone_has_no_regions() -> None:
    frame = replace(frame_of(moving=((900, 600, 918, 640),)), is_blank=True)

    assert Regions(MODEL, 2).choose(frame, NOTHING) == []


class KeenEye:
    """A model that finds bright things of 16 of its own pixels and more, however many the picture has."""

    def __init__(self) -> None:
        self.model = MODEL
        self.runs = 0

    def look(self, frame: Frame) -> tuple[Detections, StageTimes]:
        self.runs += 1
        bright = np.argwhere(frame.image[:, :, 0] == 255)
        scale = max(frame.width, frame.height) / INPUT
        if not len(bright) or (bright[:, 0].max() - bright[:, 0].min() + 1) / scale < 16:
            return NOTHING, StageTimes()
        (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0) + 1
        return found((left, top, right, bottom)), StageTimes(infer=1.0)


def scene(person: Corners | None) -> Any:
    image = np.zeros((WIDE[1], WIDE[0], 3), np.uint8)
    if person is not None:
        left, top, right, bottom = map(int, person)
        image[top:bottom, left:right] = 255
    return image


def test_who_walks_far_off_and_stops_is_seen_throughout_for_one_run_more() -> None:
    eye = KeenEye()
    look = PartedDetector(eye, Regions(MODEL, 2))  # type: ignore[arg-type]
    walk = [(900.0 + 10 * min(step, 5), 600.0, 918.0 + 10 * min(step, 5), 640.0) for step in range(15)]

    seen = []
    for step, person in enumerate(walk):
        moving = (person,) if step <= 5 else ()
        frame = replace(frame_of(moving=moving), image=scene(person))
        seen.append(look.detect(frame).boxes.tolist())

    assert seen == [[list(person)] for person in walk]
    assert eye.runs == 2 * len(walk)
    assert not len(look.detect(replace(frame_of(), image=scene(None))))


PART = Part(400, 300, 800, 700)


def test_what_the_whole_picture_and_a_region_both_show_is_told_once_where_the_surer_one_says() -> None:
    rough, fine = (480.0, 380.0, 560.0, 520.0), (492.0, 400.0, 548.0, 516.0)

    by_region = merge_found(
        found(rough, score=0.4), [(PART, found(fine, score=0.8))], frame_of(), iou=0.6, max_boxes=10
    )
    by_whole = merge_found(found(rough, score=0.9), [(PART, found(fine, score=0.8))], frame_of(), iou=0.6, max_boxes=10)

    assert by_region.boxes.tolist() == [list(fine)]
    assert by_whole.boxes.tolist() == [list(rough)]


def test_a_piece_at_the_edge_of_a_region_of_what_the_whole_picture_shows_goes() -> None:
    person, head = (380.0, 290.0, 520.0, 780.0), (410.0, 330.0, 500.0, 690.0)

    merged = merge_found(found(person), [(PART, found(head, score=0.7))], frame_of(), iou=0.6, max_boxes=10)

    assert merged.boxes.tolist() == [list(person)]


def test_things_of_different_classes_in_one_place_are_both_told() -> None:
    person = (480.0, 380.0, 560.0, 520.0)
    bag = as_detections([[482.0, 384.0, 556.0, 518.0]], [0.6], [1])

    merged = merge_found(found(person), [(PART, bag)], frame_of(), iou=0.6, max_boxes=10)

    assert sorted(merged.class_ids.tolist()) == [0, 1]
