from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.network_stream import NetworkStreamSource
from edge.capture.opencv_stream import Property
from edge.capture.settings import SourceSettings
from edge.core.clock import HandClock, SystemClock
from edge.core.errors import Away, SourceError
from tests.capture.fakes import FakeCapture, FakeOpener
from tests.contracts.frame_source import LiveContract, assert_rgb_areas, rgb_areas

QUICK = SourceSettings("yard", open_timeout_s=5.0, read_timeout_s=1.0)


def source_of(url: str, settings: SourceSettings = QUICK) -> NetworkStreamSource:
    return NetworkStreamSource(url, settings, SystemClock())


def faked(*captures: FakeCapture, url: str = "rtsp://camera.example/live", clock: HandClock | None = None):
    opener = FakeOpener(*captures)
    return NetworkStreamSource(url, QUICK, clock or HandClock(), opener=opener), opener


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes the connection and then says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.rtsp
class TestRtsp(LiveContract):
    @pytest.fixture
    def source(self, shared_rtsp_server):
        return source_of(shared_rtsp_server.url("jpeg"))

    @pytest.fixture
    def away(self, closed_port):
        return source_of(f"rtsp://127.0.0.1:{closed_port}/live")


class TestFakedStream(LiveContract):
    @pytest.fixture
    def source(self):
        return faked(*[FakeCapture([rgb_areas()] * 6) for _ in range(2)])[0]

    @pytest.fixture
    def away(self):
        return faked(FakeCapture([], is_open=False))[0]


@pytest.mark.rtsp
def test_h264_over_rtsp_arrives_in_colour(shared_rtsp_server):
    source = source_of(shared_rtsp_server.url("h264"))
    source.open()

    frame = source.read()

    source.close()
    assert frame.image.shape == (96, 192, 3)
    assert_rgb_areas(frame.image)


@pytest.mark.rtsp
def test_rtsp_travels_over_tcp(shared_rtsp_server):
    before = udp_sockets()
    source = source_of(shared_rtsp_server.url("jpeg"))

    source.open()

    assert udp_sockets() == before
    source.close()


def udp_sockets() -> set[str]:
    """The UDP sockets that this process holds."""
    links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    inodes = {line.split()[9] for line in Path("/proc/net/udp").read_text().splitlines()[1:]}
    return inodes & {link.removeprefix("socket:[").removesuffix("]") for link in links}


@pytest.mark.rtsp
def test_size_scales_a_stream(shared_rtsp_server):
    source = source_of(
        shared_rtsp_server.url("jpeg"), SourceSettings("yard", size=(96, 96), open_timeout_s=5, read_timeout_s=1)
    )
    source.open()

    frame = source.read()

    source.close()
    assert frame.image.shape == (48, 96, 3)


@pytest.mark.rtsp
def test_a_wrong_path_is_refused_at_once(shared_rtsp_server):
    with pytest.raises(SourceError, match="refused") as caught:
        source_of(shared_rtsp_server.url("nothing-here")).open()
    assert caught.value.reason is Away.REFUSED


@pytest.mark.rtsp
def test_user_and_password_are_used_and_never_shown(shared_rtsp_server, caplog, capfd):
    caplog.set_level("DEBUG")
    source = source_of(shared_rtsp_server.locked_url("admin", "s3cret"))
    source.open()
    assert_rgb_areas(source.read().image)
    source.close()

    with pytest.raises(SourceError, match="the user and the password") as caught:
        source_of(shared_rtsp_server.locked_url("admin", "wr0ng")).open()

    everything = caplog.text + str(caught.value) + "".join(capfd.readouterr())
    assert "***@127.0.0.1" in everything
    for secret in ("admin", "s3cret", "wr0ng"):
        assert secret not in everything


def test_a_server_that_says_nothing_costs_no_more_than_the_open_time_out(silent_port):
    clock = SystemClock()
    started_ns = clock.monotonic_ns()
    source = source_of(f"rtsp://127.0.0.1:{silent_port}/live", SourceSettings("yard", open_timeout_s=0.8))

    with pytest.raises(SourceError, match=r"nothing answered within 0\.8 s") as caught:
        source.open()
    assert caught.value.reason is Away.ABSENT

    assert (clock.monotonic_ns() - started_ns) / 1e9 < 2.5


def test_a_port_where_nobody_listens_fails_at_once(closed_port):
    clock = SystemClock()
    started_ns = clock.monotonic_ns()

    with pytest.raises(SourceError, match="refused"):
        source_of(f"rtsp://127.0.0.1:{closed_port}/live").open()

    assert (clock.monotonic_ns() - started_ns) / 1e9 < 2.0


@pytest.mark.rtsp
def test_a_server_that_freezes_is_lost_within_the_read_time_out(own_rtsp_server):
    source = source_of(own_rtsp_server.url("jpeg"))
    source.open()
    source.read()
    own_rtsp_server.signal(signal.SIGSTOP)
    clock = SystemClock()

    started_ns = clock.monotonic_ns()
    with pytest.raises(SourceError, match="no frame within 1 s") as caught:
        read_for_ever(source)
    assert caught.value.reason is Away.HUNG
    took_s = (clock.monotonic_ns() - started_ns) / 1e9

    assert 0.9 < took_s < 3.5


@pytest.mark.rtsp
def test_a_server_that_dies_is_lost_and_found_again_when_it_is_back(own_rtsp_server):
    source = source_of(own_rtsp_server.url("jpeg"))
    source.open()
    before = source.read()
    own_rtsp_server.kill()

    with pytest.raises(SourceError, match="the stream is lost") as caught:
        read_for_ever(source)
    assert caught.value.reason is Away.LOST
    with pytest.raises(SourceError):
        source.open()
    own_rtsp_server.start()
    source.open()
    after = source.read()

    source.close()
    assert after.sequence > before.sequence
    assert_rgb_areas(after.image)


def read_for_ever(source: NetworkStreamSource) -> None:
    while True:
        source.read()


@pytest.fixture
def mjpeg_url() -> Iterator[str]:
    """A camera that sends Motion JPEG over HTTP, as many cheap ones do."""
    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(rgb_areas()[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 95])
    part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg.tobytes() + b"\r\n"

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for _ in range(60):
                    self.wfile.write(part)
            except OSError:
                return

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/video.mjpg"
    server.shutdown()
    server.server_close()
    thread.join()


def test_motion_jpeg_over_http_is_a_stream_too(mjpeg_url):
    source = source_of(mjpeg_url)
    source.open()

    frame = source.read()

    source.close()
    assert_rgb_areas(frame.image)


def test_the_time_outs_reach_the_library_in_milliseconds():
    source, opener = faked(FakeCapture([rgb_areas()]))

    source.open()

    _, _, properties = opener.calls[0]
    assert properties == [Property.OPEN_TIMEOUT_MS, 5000, Property.READ_TIMEOUT_MS, 1000]


def test_a_frames_time_is_its_arrival():
    clock = HandClock(monotonic_ns=10**9)
    source, _ = faked(FakeCapture([rgb_areas()] * 2, on_grab=lambda: clock.advance(0.1)), clock=clock)
    source.open()

    assert [source.read().captured_ns for _ in range(2)] == [1_100_000_000, 1_200_000_000]


def test_a_stream_that_decodes_nothing_is_lost():
    source, _ = faked(FakeCapture([None] * 200))
    source.open()

    with pytest.raises(SourceError, match="100 frames in a row") as caught:
        source.read()
    assert caught.value.reason is Away.UNREADABLE


def test_a_picture_that_changes_its_size_is_followed():
    source, _ = faked(FakeCapture([rgb_areas(192, 96), rgb_areas(96, 60)]))
    source.open()

    assert [source.read().image.shape for _ in range(2)] == [(96, 192, 3), (60, 96, 3)]


def test_a_stream_of_gigantic_pictures_is_refused():
    capture = FakeCapture([rgb_areas()])
    capture.values = {Property.WIDTH: 20_000, Property.HEIGHT: 20_000}
    source, _ = faked(capture)

    with pytest.raises(SourceError, match="found 20000x20000") as caught:
        source.open()
    assert caught.value.reason is Away.UNSUITABLE

    assert capture.is_released
