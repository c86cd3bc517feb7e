"""Videos decoded the exact way: as OpenCV does, but for the last bit."""

from __future__ import annotations

import hashlib
import itertools
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.exact_video import exact_decoder, open_exact
from edge.capture.opencv_stream import open_capture
from edge.capture.settings import SourceSettings
from edge.capture.video_file import VideoFileSource
from edge.core.clock import HandClock
from edge.core.errors import MissingLibraryError, RecordingError
from tests.capture.test_video_file import can_rotate, ffmpeg
from tests.contracts.frame_source import RecordingContract, read_all

SETTINGS = SourceSettings("yard")


def source_of(path: Path, opener=open_exact) -> VideoFileSource:
    return VideoFileSource(path, SETTINGS, HandClock(), opener=opener)


def frames_of(path: Path, opener=open_exact):
    source = source_of(path, opener)
    source.open()
    frames = read_all(source)
    source.close()
    return frames


class TestExactVideo(RecordingContract):
    @pytest.fixture(params=[("clip.mp4", "mp4v"), ("clip.avi", "MJPG"), ("clip.mkv", "mp4v")], ids="-".join)
    def source(self, make_video, request):
        name, codec = request.param
        return source_of(make_video(name=name, codec=codec))

    @pytest.fixture
    def away(self, tmp_path):
        return source_of(tmp_path / "missing.mp4")


def assert_as_by_opencv(path: Path) -> None:
    """The same frames at the same times, and nearly the same pixels."""
    exact, usual = frames_of(path), frames_of(path, open_capture)
    assert [each.captured_ns for each in exact] == pytest.approx([each.captured_ns for each in usual], abs=1000)
    for one, other in zip(exact, usual, strict=True):
        assert one.image.shape == other.image.shape
        assert np.abs(one.image.astype(int) - other.image).mean() < 2


MOVING = ("-f", "lavfi", "-i", "testsrc2=size=66x49:rate=10:duration=1")


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("clip.mp4", ("-c:v", "libx264", "-bf", "2", "-pix_fmt", "yuv420p")),
        ("clip.mkv", ("-c:v", "libx264", "-pix_fmt", "yuv422p")),
        ("clip.mkv", ("-c:v", "libx264", "-qp", "5", "-pix_fmt", "yuv444p")),
        ("clip.avi", ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p")),
        ("clip.avi", ("-c:v", "mpeg4", "-q:v", "2")),
        ("clip.mkv", ("-c:v", "ffv1", "-pix_fmt", "gray")),
        ("clip.mkv", ("-c:v", "ffv1", "-pix_fmt", "bgr0")),
        ("clip.mkv", ("-c:v", "png", "-pix_fmt", "rgb24")),
    ],
    ids=lambda each: each if isinstance(each, str) else "-".join(each[1::2]),
)
def test_every_kind_of_pixels_looks_as_it_does_to_opencv(tmp_path, name, how):
    path = tmp_path / name
    ffmpeg(*MOVING, *how, str(path))

    assert_as_by_opencv(path)


@pytest.mark.ffmpeg
def test_variable_rates_keep_their_times(tmp_path):
    path = tmp_path / "variable.mkv"
    filters = "setpts='if(lt(N,5),N/10,1+(N-5)/2)/TB'"
    ffmpeg(*MOVING, "-vf", filters, "-fps_mode", "vfr", "-c:v", "mpeg4", str(path))

    assert_as_by_opencv(path)


@pytest.mark.ffmpeg
@pytest.mark.parametrize("degrees", ["90", "180", "270"])
def test_a_video_written_upright_by_a_telephone_is_turned(tmp_path, make_video, degrees):
    turned = tmp_path / "turned.mp4"
    if can_rotate():
        ffmpeg("-display_rotation", degrees, "-i", str(make_video()), "-c", "copy", str(turned))
    else:  # until ffmpeg 5
        ffmpeg("-i", str(make_video()), "-c", "copy", "-metadata:s:v:0", f"rotate={degrees}", str(turned))

    assert_as_by_opencv(turned)


def test_a_damaged_middle_is_passed_over(make_video):
    pictures = [np.random.default_rng(i).integers(0, 255, (96, 192, 3), np.uint8) for i in range(20)]
    path = make_video(pictures, name="clip.avi", codec="MJPG")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4000] = bytes(4000)
    path.write_bytes(content)

    frames = frames_of(path)

    assert 15 < len(frames) <= 20
    assert frames[-1].captured_ns > 1_000_000_000


@pytest.mark.ffmpeg
def test_pixels_without_an_exact_reading_are_refused_with_a_way_out(tmp_path):
    path = tmp_path / "deep.mkv"
    ffmpeg(*MOVING, "-c:v", "ffv1", "-pix_fmt", "yuv420p10le", str(path))
    source = source_of(path)
    source.open()

    with pytest.raises(RecordingError, match=r"yuv420p10le.*--decoder opencv"):
        source.read()


def test_what_is_no_video_is_refused(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_text("this is no video\n" * 20)

    with pytest.raises(RecordingError, match="no picture"):
        source_of(path).open()


def test_a_playlist_in_a_video_s_clothes_opens_no_address(tmp_path):
    path = tmp_path / "clip.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/clip.ts\n#EXT-X-ENDLIST\n")

    with pytest.raises(RecordingError):
        source_of(path).open()


def test_without_the_library_it_says_what_to_install(monkeypatch, make_video):
    monkeypatch.setitem(sys.modules, "av", None)

    assert exact_decoder() is None
    with pytest.raises(MissingLibraryError, match=r"pip install 'edge-detector\[replay\]'"):
        source_of(make_video()).open()


# Of the pixels of every tenth frame, on x86-64 and on aarch64 (tools/arm64-replay).
DIGESTS = {"person-walk.mp4": "924cba93ef28d3d3", "car-detection.mp4": "31fb67d2f6a40823"}


@pytest.mark.shared
@pytest.mark.parametrize("name", DIGESTS)
def test_the_pixels_of_the_clips_are_those_of_every_processor(shared, name):
    capture, digest = open_exact(str(shared / "data" / "video" / name), cv2.CAP_FFMPEG, []), hashlib.sha256()

    for number in itertools.count():
        if not capture.grab():
            break
        if number % 10 == 0:
            digest.update(capture.retrieve()[1].tobytes())

    assert digest.hexdigest()[:16] == DIGESTS[name]
