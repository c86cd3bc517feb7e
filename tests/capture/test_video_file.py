from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.opencv_stream import Property
from edge.capture.settings import SourceSettings
from edge.capture.video_file import VideoFileSource
from edge.core.clock import HandClock
from edge.core.errors import RecordingError
from tests.capture.fakes import FakeCapture, FakeOpener
from tests.contracts.frame_source import RecordingContract, assert_rgb_areas, read_all, rgb_areas

SETTINGS = SourceSettings("yard")


def source_of(path: Path, settings: SourceSettings = SETTINGS, clock: HandClock | None = None) -> VideoFileSource:
    return VideoFileSource(path, settings, clock or HandClock(monotonic_ns=5_000_000_000))


class TestVideoFile(RecordingContract):
    @pytest.fixture(params=[("clip.mp4", "mp4v"), ("clip.avi", "MJPG"), ("clip.mkv", "mp4v")], ids="-".join)
    def source(self, make_video, request):
        name, codec = request.param
        return source_of(make_video(name=name, codec=codec))

    @pytest.fixture
    def away(self, tmp_path):
        return source_of(tmp_path / "missing.mp4")


def test_threads_of_the_decoder_s_own_are_for_large_pictures_alone():
    def opened(width: int, height: int) -> list[list[int]]:
        captures = [FakeCapture([rgb_areas()]) for _ in range(2)]
        for capture in captures:
            capture.values |= {Property.WIDTH: float(width), Property.HEIGHT: float(height)}
        opener = FakeOpener(*captures)
        VideoFileSource(Path(__file__), SETTINGS, HandClock(), opener=opener).open()
        return [properties for _, _, properties in opener.calls]

    assert opened(1280, 720) == [[cv2.CAP_PROP_N_THREADS, 1]]
    assert opened(1920, 1080) == [[cv2.CAP_PROP_N_THREADS, 1], []]


def test_frames_lie_at_start_plus_media_time(make_video):
    clock = HandClock(monotonic_ns=7_000_000_000)
    source = source_of(make_video(fps=25.0), clock=clock)
    source.open()
    clock.advance(3)  # what else was loaded in between does not count

    frames = read_all(source)

    assert [f.captured_ns for f in frames] == [10_000_000_000 + i * 40_000_000 for i in range(6)]
    assert [(f.captured_at - frames[0].captured_at).total_seconds() for f in frames] == [i * 0.04 for i in range(6)]
    assert [f.sequence for f in frames] == list(range(6))


def test_a_wrong_clock_in_the_container_is_mended():
    pictures = [rgb_areas()] * 5
    capture = FakeCapture(pictures, stamps_ms=[500, 600, 600, 100, 200])
    capture.values = {3: 192, 4: 96, 5: 10.0, 7: 5}
    source = VideoFileSource(Path(__file__), SETTINGS, HandClock(), opener=FakeOpener(capture))
    source.open()

    frames = read_all(source)

    assert [f.captured_ns // 1_000_000 for f in frames] == [0, 100, 200, 300, 400]


def test_size_scales_and_keeps_the_aspect(make_video):
    source = source_of(make_video(), SourceSettings("yard", size=(128, 128)))
    source.open()

    frame = source.read()

    assert frame.image.shape == (64, 128, 3)
    assert_rgb_areas(frame.image)


def broken_files(folder: Path, video: Path) -> dict[str, Path]:
    files = {name: folder / f"{name}.mp4" for name in ("empty", "garbage", "text", "headless")}
    files["empty"].touch()
    files["garbage"].write_bytes(np.random.default_rng(1).bytes(50_000))
    files["text"].write_text("this is no video\n" * 20)
    files["headless"].write_bytes(video.read_bytes()[: video.stat().st_size // 2])  # the index lies at the end
    return files


@pytest.mark.parametrize(
    ("name", "found"),
    [("empty", "empty file"), ("garbage", "no picture"), ("text", "no picture"), ("headless", "no picture")],
)
def test_a_file_that_is_no_video_is_refused_with_the_reason(tmp_path, make_video, name, found):
    path = broken_files(tmp_path, make_video())[name]

    with pytest.raises(RecordingError, match=found) as caught:
        source_of(path).open()

    assert str(path) in str(caught.value)


def test_a_folder_in_place_of_a_video_is_refused(tmp_path):
    with pytest.raises(RecordingError, match="a folder"):
        source_of(tmp_path).open()


def test_a_video_without_a_frame_is_refused(make_video):
    capture = FakeCapture([])
    source = VideoFileSource(make_video(), SETTINGS, HandClock(), opener=FakeOpener(capture))

    with pytest.raises(RecordingError, match="without a single readable frame"):
        source.open()

    assert capture.is_released


def test_a_gigantic_video_is_refused_before_its_first_frame_is_decoded(make_video):
    capture = FakeCapture([rgb_areas()])
    capture.values = {3: 30_000, 4: 20_000, 5: 10.0}
    source = VideoFileSource(make_video(), SETTINGS, HandClock(), opener=FakeOpener(capture))

    with pytest.raises(RecordingError, match="found 30000x20000"):
        source.open()

    assert capture.retrieved == 0


def test_a_cut_off_video_plays_what_is_there_and_says_so_once(make_video, caplog):
    pictures = [np.random.default_rng(i).integers(0, 255, (96, 192, 3), np.uint8) for i in range(40)]
    path = make_video(pictures, name="clip.avi", codec="MJPG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = source_of(path)
    source.open()

    frames = read_all(source)

    assert 5 < len(frames) < 30
    assert source.read() is None
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "header promises 4.0 s" in caplog.text

    source.open()  # as a loop does, all day long
    read_all(source)

    assert len(caplog.records) == 1


def test_a_whole_video_ends_without_a_warning(make_video, caplog):
    source = source_of(make_video())
    source.open()

    read_all(source)

    assert caplog.records == []


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


@pytest.mark.ffmpeg
def test_a_file_of_variable_rate_keeps_its_times(tmp_path, caplog):
    path = tmp_path / "variable.mkv"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=2",
        "-vf", "setpts='if(lt(N,10),N/10,1+(N-10)/2)/TB'", "-fps_mode", "vfr", "-c:v", "mpeg4", str(path),
    )  # fmt: skip
    source = source_of(path)
    source.open()

    frames = read_all(source)

    seconds = [(f.captured_ns - frames[0].captured_ns) / 1e9 for f in frames]
    assert seconds[:3] == pytest.approx([0.0, 0.1, 0.2], abs=0.002)
    assert seconds[-2:] == pytest.approx([5.0, 5.5], abs=0.002)
    assert caplog.records == []


@pytest.mark.ffmpeg
def test_h264_with_b_frames_comes_in_order_and_in_colour(tmp_path, rgb_png):
    path = tmp_path / "clip.mp4"
    ffmpeg(
        "-loop", "1", "-framerate", "10", "-t", "1", "-i", str(rgb_png),
        "-c:v", "libx264", "-bf", "2", "-pix_fmt", "yuv420p", str(path),
    )  # fmt: skip
    source = source_of(path)
    source.open()

    frames = read_all(source)

    assert [f.captured_ns - frames[0].captured_ns for f in frames] == [i * 100_000_000 for i in range(10)]
    assert_rgb_areas(frames[-1].image)


@pytest.mark.ffmpeg
def test_a_file_of_sound_alone_is_refused(tmp_path):
    path = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", str(path))

    with pytest.raises(RecordingError, match="sound only"):
        source_of(path).open()


@pytest.mark.ffmpeg
def test_a_video_written_upright_by_a_telephone_is_turned(tmp_path, make_video):
    plain, turned = make_video(), tmp_path / "turned.mp4"
    if can_rotate():
        ffmpeg("-display_rotation", "90", "-i", str(plain), "-c", "copy", str(turned))
    else:  # until ffmpeg 5
        ffmpeg("-i", str(plain), "-c", "copy", "-metadata:s:v:0", "rotate=90", str(turned))
    source = source_of(turned)
    source.open()

    assert source.read().image.shape == (192, 96, 3)


def can_rotate() -> bool:
    shown = subprocess.run(["ffmpeg", "-h", "full"], capture_output=True, text=True, check=False).stdout
    return "-display_rotation" in shown


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "frames", "last_s"), [("person-walk.mp4", 450, 44.9), ("car-detection.mp4", 377, 30.08)]
)
def test_the_clips_have_their_frames_and_times(shared, name, frames, last_s):
    source = source_of(shared / "data" / "video" / name)
    source.open()
    stamps = []

    while (captured_ns := source.step()) is not None:
        stamps.append(captured_ns)

    assert len(stamps) == frames
    assert (stamps[-1] - stamps[0]) / 1e9 == pytest.approx(last_s, abs=0.001)
    assert source.picture() is None or source.picture().image.shape == (432, 768, 3)
