from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.capture.opencv_stream import Property, fourcc
from edge.capture.settings import SourceSettings
from edge.capture.v4l2 import V4l2Source
from edge.core.clock import HandClock
from edge.core.errors import Away, SourceError
from tests.capture.fakes import FakeCapture, FakeOpener
from tests.contracts.frame_source import LiveContract, rgb_areas

SETTINGS = SourceSettings("yard")
START_NS = 100_000_000_000


@pytest.fixture
def device(tmp_path) -> Path:
    """Stands for /dev/video0: something that exists and may be read and written."""
    path = tmp_path / "video0"
    path.touch()
    return path


def source_of(device: Path, *captures: FakeCapture, settings: SourceSettings = SETTINGS, clock=None) -> V4l2Source:
    return V4l2Source(device, settings, clock or HandClock(monotonic_ns=START_NS), opener=FakeOpener(*captures))


class TestV4l2(LiveContract):
    @pytest.fixture
    def source(self, device):
        return source_of(device, *[FakeCapture([rgb_areas()] * 6) for _ in range(2)])

    @pytest.fixture
    def away(self, tmp_path):
        return source_of(tmp_path / "video9")


def test_the_format_is_settled_before_size_and_rate(device):
    capture = FakeCapture([rgb_areas()], sizes=[(1280, 720), (640, 480)])
    source = source_of(device, capture, settings=SourceSettings("yard", size=(1280, 720), fps=15))

    source.open()

    assert capture.asked == [Property.FOURCC, Property.WIDTH, Property.HEIGHT, Property.RATE, Property.BUFFERS]
    assert capture.values[Property.FOURCC] == fourcc("MJPG")
    assert (capture.values[Property.WIDTH], capture.values[Property.HEIGHT]) == (1280, 720)
    assert capture.values[Property.RATE] == 15
    assert capture.values[Property.BUFFERS] == 2


def test_a_camera_without_mjpg_gives_yuyv(device):
    capture = FakeCapture([rgb_areas()], formats=["YUYV"])

    source_of(device, capture).open()

    assert capture.values[Property.FOURCC] == fourcc("YUYV")


def test_a_size_that_the_camera_lacks_is_warned_about(device, caplog):
    source_of(device, FakeCapture([rgb_areas()]), settings=SourceSettings("yard", size=(1920, 1080))).open()

    assert "asked for 1920x1080, the camera gives 640x480" in caplog.text


def test_a_frame_carries_the_drivers_time(device):
    clock = HandClock(monotonic_ns=START_NS)
    source = source_of(device, FakeCapture([rgb_areas()] * 2, stamps_ms=[99_960.0, 99_990.0]), clock=clock)
    source.open()

    frames = [source.read(), source.read()]

    assert [f.captured_ns for f in frames] == [99_960_000_000, 99_990_000_000]
    assert [(clock.utc_now() - f.captured_at).total_seconds() for f in frames] == [0.04, 0.01]


def test_a_picture_that_can_not_be_decoded_is_passed_over_and_leaves_a_gap(device):
    source = source_of(device, FakeCapture([rgb_areas(), None, rgb_areas()]))
    source.open()

    assert [source.read().sequence for _ in range(2)] == [0, 2]


def test_a_camera_that_sends_nothing_but_rubbish_is_lost(device):
    source = source_of(device, FakeCapture([None] * 100))
    source.open()

    with pytest.raises(SourceError, match="30 pictures in a row") as caught:
        source.read()
    assert caught.value.reason is Away.UNREADABLE


def test_an_unplugged_camera_is_lost_and_let_go(device):
    capture = FakeCapture([rgb_areas()])
    source = source_of(device, capture)
    source.open()
    source.read()

    with pytest.raises(SourceError, match="unplugged") as caught:
        source.read()
    assert caught.value.reason is Away.LOST

    assert capture.is_released


def test_a_busy_device_says_how_to_find_who_holds_it(device):
    capture = FakeCapture([], is_open=False)

    with pytest.raises(SourceError, match="fuser -v") as caught:
        source_of(device, capture).open()
    assert caught.value.reason is Away.REFUSED

    assert capture.is_released


def test_a_grey_camera_gives_rgb(device):
    class GreyCapture(FakeCapture):
        def retrieve(self, image=None):
            return True, np.full((48, 64), 90, np.uint8)

    source = source_of(device, GreyCapture([rgb_areas()]))
    source.open()

    image = source.read().image

    assert image.shape == (48, 64, 3)
    assert (image == 90).all()
