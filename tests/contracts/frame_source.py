"""What every FrameSource promises. An implementation's test derives from one of the classes and gives the sources."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.core.errors import SourceError
from edge.core.protocols import FrameSource
from edge.core.values import Frame

AREAS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
LOSSY = 40  # JPEG, H.264 and YUV in general round; swapped channels are 255 away


def rgb_areas(width: int = 192, height: int = 96) -> NDArray[np.uint8]:
    """Three upright areas, from the left pure red, green and blue, as RGB."""
    image = np.zeros((height, width, 3), np.uint8)
    for index, colour in enumerate(AREAS.values()):
        image[:, index * width // 3 : (index + 1) * width // 3] = colour
    return image


def assert_rgb_areas(image: NDArray[np.uint8], *, tolerance: int = LOSSY) -> None:
    height, width = image.shape[:2]
    for index, (name, colour) in enumerate(AREAS.items()):
        centre = round((index + 0.5) * width / 3)
        found = image[height // 4 : 3 * height // 4, centre - 4 : centre + 4].reshape(-1, 3).mean(axis=0)
        assert np.abs(found - np.array(colour)).max() <= tolerance, f"{name} arrived as {found}"


def read_all(source: FrameSource, limit: int = 10_000) -> list[Frame]:
    """Every frame up to the end, or the limit."""
    frames: list[Frame] = []
    while len(frames) < limit and (frame := source.read()) is not None:
        frames.append(frame)
    return frames


class FrameSourceContract:
    """Give the fixtures ``source`` (at least five frames that show rgb_areas) and ``away`` (one that can't open)."""

    camera = "yard"

    def check_colours(self, source: FrameSource, frame: Frame) -> None:
        assert_rgb_areas(frame.image)

    def test_a_frame_is_rgb_bytes_in_one_piece(self, source):
        source.open()

        frame = source.read()

        assert frame.image.dtype == np.uint8
        assert frame.image.ndim == 3
        assert frame.image.shape[2] == 3
        assert frame.image.flags.c_contiguous
        assert frame.camera == self.camera

    def test_red_green_and_blue_keep_their_channels(self, source):
        source.open()

        self.check_colours(source, source.read())

    def test_sequence_and_time_only_ever_grow(self, source):
        source.open()

        frames = read_all(source, 5)

        assert len(frames) == 5
        for before, after in itertools.pairwise(frames):
            assert after.sequence > before.sequence
            assert after.captured_ns > before.captured_ns
            assert after.captured_at >= before.captured_at
        assert frames[0].captured_at.tzinfo is not None

    def test_a_frame_that_was_given_stays_as_it_is(self, source):
        source.open()
        frame = source.read()
        before = frame.image.copy()

        read_all(source, 3)

        assert np.array_equal(frame.image, before)

    def test_it_can_be_closed_twice_and_before_it_was_opened(self, source):
        source.close()
        source.open()
        source.close()
        source.close()

    def test_it_can_be_opened_again_after_close(self, source):
        source.open()
        source.read()
        source.close()
        source.open()

        assert source.read() is not None

    def test_reading_without_opening_is_an_error_that_says_so(self, source):
        with pytest.raises(SourceError, match="open"):
            source.read()

    def test_reading_after_close_is_an_error_that_says_so(self, source):
        source.open()
        source.close()

        with pytest.raises(SourceError, match="open"):
            source.read()

    def test_what_is_away_raises_a_source_error_of_one_line(self, away):
        with pytest.raises(SourceError) as caught:
            away.open()

        assert "\n" not in str(caught.value)
        away.close()

    @pytest.fixture(autouse=True)
    def _let_go(self, source):
        yield
        source.close()


class RecordingContract(FrameSourceContract):
    """For what has an end."""

    def test_the_end_is_none_and_stays_none(self, source):
        source.open()
        assert len(read_all(source)) >= 5

        assert source.read() is None
        assert source.read() is None

    def test_opened_again_it_plays_the_same_from_the_start(self, source):
        source.open()
        first = read_all(source)
        source.close()
        source.open()

        second = read_all(source)

        assert [f.sequence for f in second] == [f.sequence for f in first]
        assert all(np.array_equal(a.image, b.image) for a, b in zip(first, second, strict=True))


class LiveContract(FrameSourceContract):
    """For cameras and streams."""

    def test_opened_again_the_sequence_goes_on(self, source):
        source.open()
        before = source.read()
        source.close()
        source.open()

        assert source.read().sequence > before.sequence
