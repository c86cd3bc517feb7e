"""PicameraSource over real picamera2 and real libcamera; tools/virtual-camera-test runs it in a Debian 13 with both."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.capture.picamera import PicameraSource
from edge.capture.settings import SourceSettings
from edge.core.clock import SystemClock
from edge.core.errors import SourceError
from tests.contracts.frame_source import LiveContract, assert_rgb_areas, read_all
from tools.virtual_camera.virtual import virtual_picamera2

SETTINGS = SourceSettings("yard", size=(1280, 720))


def camera(settings: SourceSettings = SETTINGS, number: int = 0) -> PicameraSource:
    return PicameraSource(number, settings, SystemClock(), library=virtual_picamera2)


@pytest.fixture
def source():
    source = camera()
    yield source
    source.close()


class TestVirtualCamera(LiveContract):
    @pytest.fixture
    def source(self):
        return camera()

    @pytest.fixture
    def away(self):
        return camera(number=5)


def test_what_the_camera_adjusts_is_read_as_it_is(source):
    """RGB was asked for, NV12 is what this camera gives: colours are right all the same."""
    source.open()

    frame = source.read()

    assert frame.image.shape == (720, 1280, 3)
    assert_rgb_areas(frame.image)


def test_the_sensors_time_is_on_the_monotonic_clock(source):
    clock = SystemClock()
    source.open()
    before_ns = clock.monotonic_ns()

    frames = read_all(source, 30)

    assert all(before_ns - 1_000_000_000 < frame.captured_ns <= clock.monotonic_ns() for frame in frames)
    assert sorted({frame.captured_ns for frame in frames}) == [frame.captured_ns for frame in frames]


def test_the_main_picture_is_there_beside_the_frame(source):
    source.open()
    source.read()

    assert_rgb_areas(source.main_picture())


def test_stopped_and_opened_again_twenty_times_nothing_is_left_behind(source):
    open_files = Path(f"/proc/{os.getpid()}/fd")
    counts = []

    for _ in range(20):
        source.open()
        assert_rgb_areas(source.read().image)
        source.close()
        counts.append(len(list(open_files.iterdir())))

    assert counts[-1] <= counts[4], counts


def test_a_camera_that_is_held_elsewhere_can_be_tried_for_ever(source):
    """Each failed try of picamera2 leaves a pipe open unless it is let go: a night would take every one."""
    open_files = Path(f"/proc/{os.getpid()}/fd")
    source.open()
    source.read()
    second = camera()
    counts = []

    for _ in range(10):
        with pytest.raises(SourceError):
            second.open()
        counts.append(len(list(open_files.iterdir())))

    # the first camera's own buffers come and go meanwhile, one at a time; what is lost with every try adds up
    assert counts[-1] - counts[0] < len(counts) // 2, counts


def test_a_second_program_can_not_have_the_same_camera(source):
    source.open()
    source.read()
    second = camera()

    with pytest.raises(SourceError, match="does another program hold it"):
        second.open()

    assert source.read() is not None


class TestBothStreams(LiveContract):
    """Frames from the small stream, and the large one of the same exposure beside it."""

    @pytest.fixture
    def source(self):
        return camera(SourceSettings("yard", size=(1280, 720), lores_size=(640, 360)))

    @pytest.fixture
    def away(self):
        return camera(SourceSettings("yard", lores_size=(640, 360)), number=5)

    def test_both_pictures_have_the_right_size_and_colours(self, source):
        source.open()

        frame = source.read()
        large = source.main_picture()

        assert (frame.image.shape, large.shape) == ((360, 640, 3), (720, 1280, 3))
        assert_rgb_areas(frame.image)
        assert_rgb_areas(large)
        source.close()
