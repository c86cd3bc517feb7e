from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from edge.capture.picamera import PicameraSource
from edge.capture.settings import SourceSettings
from edge.core.clock import HandClock
from edge.core.errors import Away, MissingLibraryError, SourceError
from tests.capture.fakes import FakePicamera2, missing_library
from tests.contracts.frame_source import LiveContract, assert_rgb_areas, rgb_areas

SETTINGS = SourceSettings("yard", size=(192, 96))
START_NS = 100_000_000_000


def stamps(count: int) -> list[int]:
    return [START_NS - (count - i) * 1_000_000 for i in range(count)]


def fake(**options) -> FakePicamera2:
    return FakePicamera2(rgb_areas(), **({"stamps_ns": stamps(8)} | options))


def source_of(library: FakePicamera2, settings: SourceSettings = SETTINGS, *, number: int = 0, clock=None):
    return PicameraSource(number, settings, clock or HandClock(monotonic_ns=START_NS), library=lambda: library)


class TestPicamera(LiveContract):
    @pytest.fixture
    def source(self):
        return source_of(fake())

    @pytest.fixture
    def away(self):
        return source_of(fake(cameras=0))


class TestPicameraWithLores(LiveContract):
    @pytest.fixture
    def source(self):
        return source_of(fake(padding=64), SourceSettings("yard", size=(384, 192), lores_size=(192, 96)))

    @pytest.fixture
    def away(self):
        return source_of(fake(start_error=RuntimeError("Camera __init__ sequence did not complete.")))


@pytest.mark.parametrize("padding", [0, 32])
@pytest.mark.parametrize("given", ["BGR888", "RGB888", "XBGR8888", "XRGB8888", "YUV420", "YVU420", "NV12", "YUYV"])
def test_whatever_format_the_camera_falls_back_to_red_stays_red(given, padding):
    source = source_of(fake(adjust={"main": given}, padding=padding))
    source.open()

    image = source.read().image

    assert image.shape == (96, 192, 3)
    assert_rgb_areas(image)


def test_a_format_nobody_understands_is_refused_at_open():
    library = fake(adjust={"main": "MJPEG"})

    with pytest.raises(SourceError, match="the camera gives MJPEG; a USB camera is better used as /dev/videoN"):
        source_of(library).open()

    assert library.opened[-1].is_closed


def test_lores_frames_and_the_main_picture_are_of_one_moment():
    source = source_of(fake(), SourceSettings("yard", size=(384, 192), lores_size=(192, 96)))
    source.open()

    frame = source.read()
    main = source.main_picture()

    assert frame.image.shape == (96, 192, 3)
    assert main.shape == (192, 384, 3)
    assert_rgb_areas(frame.image)
    assert_rgb_areas(main)


def test_the_camera_is_asked_for_rgb_rate_and_even_sizes():
    library = fake()
    source = source_of(library, SourceSettings("yard", size=(641, 481), fps=20, lores_size=(321, 241)))

    source.open()

    wished = library.opened[-1].wished
    assert wished["main"] == {"size": (640, 480), "format": "BGR888"}
    assert wished["lores"] == {"size": (320, 240), "format": "YUV420"}
    assert wished["controls"] == {"FrameDurationLimits": (50_000, 50_000)}


def test_a_frame_carries_the_sensors_time():
    clock = HandClock(monotonic_ns=START_NS)
    source = source_of(fake(stamps_ns=[START_NS - 30_000_000]), clock=clock)
    source.open()

    frame = source.read()

    assert frame.captured_ns == START_NS - 30_000_000
    assert (clock.utc_now() - frame.captured_at).total_seconds() == 0.03


def test_without_a_sensor_time_arrival_counts():
    source = source_of(fake(stamps_ns=[None]))
    source.open()

    assert source.read().captured_ns == START_NS


def test_a_camera_that_can_not_be_had_leaves_no_descriptor_open():
    """picamera2 opens a pipe before it takes the camera; a night of tries would take every descriptor."""
    pipes: list[tuple[int, int]] = []

    class HeldElsewhere:
        def __init__(self, number: int) -> None:
            pipes.append(os.pipe())
            self.notifymeread = os.fdopen(pipes[-1][0], "rb")
            self.notifyme_w = pipes[-1][1]
            raise RuntimeError("Camera __init__ sequence did not complete.")

        global_camera_info = staticmethod(lambda: [{"Model": "imx708", "Num": 0}])

        def stop(self) -> None:
            """Nothing runs yet."""

        def close(self) -> None:
            """As picamera2's: a camera that was never open is left as it is."""

    source = PicameraSource(0, SETTINGS, HandClock(), library=lambda: SimpleNamespace(Picamera2=HeldElsewhere))

    with pytest.raises(SourceError, match="does another program hold it"):
        source.open()

    for descriptor in pipes[0]:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_camera_that_stops_is_lost_within_the_time_out():
    library = fake(stamps_ns=stamps(1))
    source = source_of(library, SourceSettings("yard", read_timeout_s=1.5))
    source.open()
    source.read()

    with pytest.raises(SourceError, match=r"no frame within 1\.5 s") as caught:
        source.read()
    assert caught.value.reason is Away.HUNG

    assert library.opened[-1].waits == [1.5, 1.5]
    assert not library.opened[-1].is_running
    assert library.opened[-1].is_closed


def test_a_picamera2_that_can_not_forget_a_request_is_let_go_all_the_same(monkeypatch):
    library = fake(stamps_ns=[])
    monkeypatch.delattr("tests.capture.fakes._FakeCamera.cancel_all_and_flush")
    source = source_of(library)
    source.open()

    with pytest.raises(SourceError, match="no frame within"):
        source.read()

    assert library.opened[-1].is_closed


def test_every_buffer_goes_back_to_the_camera():
    library = fake()
    source = source_of(library)
    source.open()
    for _ in range(3):
        source.read()
    source.step()  # a frame passed over

    source.close()

    assert [request.is_released for request in library.opened[-1].requests] == [True] * 4
    assert not library.opened[-1].is_running
    assert library.opened[-1].is_closed


def test_a_torn_frame_is_passed_over():
    library = fake()
    source = source_of(library)
    source.open()
    camera = library.opened[-1]
    whole = camera.capture_request

    def torn(*, wait):
        request = whole(wait=wait)
        request._buffers["main"] = request._buffers["main"][:100]
        camera.capture_request = whole
        return request

    camera.capture_request = torn

    assert source.read().sequence == 1


def test_a_missing_library_says_how_to_get_it():
    source = PicameraSource(0, SETTINGS, HandClock(), library=missing_library)

    with pytest.raises(MissingLibraryError, match=r"sudo apt install python3-picamera2.*--system-site-packages"):
        source.open()


def test_a_library_that_does_not_load_says_why():
    def broken():
        raise ValueError("numpy.dtype size changed")

    with pytest.raises(MissingLibraryError, match=r"does not load: numpy\.dtype size changed"):
        PicameraSource(0, SETTINGS, HandClock(), library=broken).open()


def test_the_real_library_is_looked_for_only_when_opened():
    source = PicameraSource(0, SETTINGS, HandClock())

    source.close()


def test_a_number_without_a_camera_lists_those_there_are():
    with pytest.raises(SourceError, match="expected camera number 2, found 0: imx708, 1: imx709") as caught:
        source_of(fake(cameras=2), number=2).open()
    assert caught.value.reason is Away.ABSENT


def test_a_camera_held_by_another_program_is_let_go_again():
    library = fake(start_error=RuntimeError("Failed to acquire camera: Device or resource busy"))

    with pytest.raises(SourceError, match="resource busy") as caught:
        source_of(library).open()
    assert caught.value.reason is Away.REFUSED

    assert library.opened[-1].is_closed
