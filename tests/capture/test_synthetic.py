from __future__ import annotations

import numpy as np
import pytest

from edge.capture.oriented import OrientedSource
from edge.capture.scene import SceneOptions
from edge.capture.settings import SourceSettings
from edge.capture.synthetic import COLOURS, SyntheticSource
from edge.core.clock import HandClock
from edge.core.errors import ConfigError, SourceError
from tests.contracts.frame_source import RecordingContract, read_all

RGB = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255)]
SETTINGS = SourceSettings("yard")


def scene(settings: SourceSettings = SETTINGS, **options) -> SyntheticSource:
    return SyntheticSource(SceneOptions(**options), settings, HandClock(monotonic_ns=10**9))


def boxes_of_colour(image: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero((image == np.array(colour, np.uint8)).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


class TestSynthetic(RecordingContract):
    @pytest.fixture
    def source(self):
        return scene(seconds=1.0)

    @pytest.fixture
    def away(self):
        class Unopened(SyntheticSource):
            """A made-up scene is never away; reading it unopened is the one way to miss it."""

            def open(self) -> None:
                self.step()

        return Unopened(SceneOptions(), SETTINGS, HandClock())

    def check_colours(self, source, frame):
        boxes, class_ids = source.truth(frame.sequence)
        for box, class_id in zip(boxes.astype(int), class_ids, strict=True):
            assert boxes_of_colour(frame.image, RGB[class_id]) == tuple(box)


@pytest.mark.parametrize("size", [(640, 480), (320, 320), (1280, 720), (240, 426)])
def test_the_truth_is_where_the_colours_are_in_every_frame(size):
    source = scene(width=size[0], height=size[1], objects=6, seconds=8, fps=1)
    source.open()

    for frame in read_all(source):
        boxes, class_ids = source.truth(frame.sequence)
        found = [boxes_of_colour(frame.image, RGB[class_id]) for class_id in class_ids]
        assert np.array_equal(np.array(found), boxes)
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= size).all()


def test_the_objects_move():
    source = scene()

    assert (source.truth(0)[0] != source.truth(20)[0]).any(axis=1).all()


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others():
    images = []
    for seed in (4, 4, 5):
        source = scene(seed=seed)
        source.open()
        images.append(source.read().image)

    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_it_ends_after_its_seconds_and_keeps_its_rate():
    source = scene(seconds=2, fps=4)
    source.open()

    frames = read_all(source)

    assert [f.captured_ns - 10**9 for f in frames] == [i * 250_000_000 for i in range(8)]


def test_without_seconds_it_does_not_end():
    source = scene(fps=1)
    source.open()

    assert len(read_all(source, limit=300)) == 300


def test_its_own_options_win_over_the_cameras_size_and_rate():
    settings = SourceSettings("yard", size=(320, 240), fps=2)
    plain, asked = scene(settings), scene(settings, width=64, height=96, fps=20)

    for source in (plain, asked):
        source.open()

    assert plain.read().image.shape == (240, 320, 3)
    assert asked.read().image.shape == (96, 64, 3)
    assert (plain.step() - 10**9, asked.step() - 10**9) == (500_000_000, 50_000_000)


def test_no_objects_is_an_empty_scene():
    source = scene(objects=0, seconds=1)
    source.open()

    boxes, class_ids = source.truth(source.read().sequence)

    assert boxes.shape == (0, 4)
    assert class_ids.shape == (0,)


def test_more_objects_than_fit_are_refused():
    with pytest.raises(ConfigError, match="ask for fewer objects"):
        scene(height=64, objects=9)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_frames_show_the_truth_turned(degrees):
    source = scene(width=320, height=200, objects=3)
    turned = OrientedSource(source, degrees)
    turned.open()

    frame = turned.read()

    boxes, class_ids = source.truth(frame.sequence)
    for (x1, y1, x2, y2), class_id in zip(boxes, class_ids, strict=True):
        expected = {
            90: (200 - y2, x1, 200 - y1, x2),
            180: (320 - x2, 200 - y2, 320 - x1, 200 - y1),
            270: (y1, 320 - x2, y2, 320 - x1),
        }[degrees]
        assert boxes_of_colour(frame.image, RGB[class_id]) == expected


def test_every_class_has_a_name():
    assert len(COLOURS) == len(RGB)


def test_source_errors_of_a_scene_name_it():
    with pytest.raises(SourceError, match="synthetic"):
        scene().read()
