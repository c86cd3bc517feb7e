"""Tiles: they cover the frame, and what is seen in them is told once, in the frame's own pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import ConfigError
from edge.core.geometry import pairwise_iou
from edge.core.model import Family
from edge.infer.parted import PartedDetector
from edge.infer.tiling import Grid, Tiles, lay_tiles, parse_grid
from tests.builders import make_frame
from tests.infer.test_detector import BLUE, GREEN, RED, detector_for, scene

SIZE = (600, 300)


def tiled(columns=2, rows=2):
    return PartedDetector(detector_for(Family.YOLOV8), Tiles(Grid(columns, rows)))


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 2000), st.integers(1, 2000))
def test_tiles_cover_the_frame_and_stay_in_it(columns, rows, width, height):
    covered = np.zeros((height, width), bool)

    tiles = lay_tiles(Grid(columns, rows), width=width, height=height)

    for tile in tiles:
        assert 0 <= tile.left < tile.right <= width
        assert 0 <= tile.top < tile.bottom <= height
        covered[tile.top : tile.bottom, tile.left : tile.right] = True
    assert len(tiles) == columns * rows
    assert covered.all()


def test_two_by_two_tiles_overlap_by_a_third():
    tiles = lay_tiles(Grid(2, 2), width=600, height=300)

    assert [(t.left, t.top, t.right, t.bottom) for t in tiles] == [
        (0, 0, 360, 180),
        (240, 0, 600, 180),
        (0, 120, 360, 300),
        (240, 120, 600, 300),
    ]


@pytest.mark.parametrize("text", ["2", "2x", "x2", "0x1", "9x1", "2x2x2", "-1x2", "2*2", "", "99999999999x1"])
def test_what_is_no_grid_is_refused(text):
    with pytest.raises(ConfigError, match="tiles: expected"):
        parse_grid(text)


def test_a_grid_is_written_as_columns_by_rows():
    assert parse_grid("3x2") == Grid(columns=3, rows=2)
    assert (parse_grid("1x1").runs, parse_grid("3x2").runs) == (1, 7)


@pytest.mark.parametrize(
    "box",
    [(20, 20, 120, 90), (250, 125, 350, 175), (480, 200, 590, 290), (100, 50, 500, 250)],
    ids=["in one tile", "in all four", "in a corner", "larger than a tile"],
)
def test_a_thing_is_told_once_and_where_it_is(box):
    found = tiled().detect(make_frame(scene(SIZE, [box], [GREEN])))

    assert found.class_ids.tolist() == [1]
    assert pairwise_iou(found.boxes, np.array([box], np.float32))[0, 0] > 0.9


def test_things_in_different_tiles_are_all_told():
    boxes = [(10, 10, 100, 80), (500, 20, 590, 100), (260, 210, 380, 290)]

    found = tiled().detect(make_frame(scene(SIZE, boxes, [RED, GREEN, BLUE])))

    assert sorted(found.class_ids.tolist()) == [0, 1, 2]
    assert (np.diff(found.scores) <= 0).all()


def test_a_frame_run_ahead_gives_the_same():
    frame = make_frame(scene(SIZE, [(250, 125, 350, 175)], [RED]))
    detector = tiled()

    detector.start(detector.shrink(frame))
    detector.start(frame)

    np.testing.assert_array_equal(detector.detect(frame).boxes, tiled().detect(frame).boxes)


def test_tiles_leave_alone_what_other_cameras_have_begun():
    inner = detector_for(Family.YOLOV8)
    other = make_frame(scene(SIZE, [(20, 20, 120, 90)], [BLUE]), camera="other")
    inner.start(other)

    PartedDetector(inner, Tiles(Grid(2, 2))).start(make_frame(scene(SIZE, [(20, 20, 120, 90)], [RED])))

    assert inner.detect(other).class_ids.tolist() == [2]
