from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.image_folder import ImageFolderSource, natural_order
from edge.capture.pictures import write_picture
from edge.capture.settings import SourceSettings
from edge.core.clock import HandClock
from edge.core.errors import RecordingError
from tests.contracts.frame_source import RecordingContract, read_all, rgb_areas

SETTINGS = SourceSettings("yard")


def source_of(path: Path, settings: SourceSettings = SETTINGS) -> ImageFolderSource:
    return ImageFolderSource(path, settings, HandClock(monotonic_ns=10**9))


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        write_picture(folder / name, rgb_areas())
    return folder


class TestImageFolder(RecordingContract):
    @pytest.fixture
    def source(self, tmp_path):
        return source_of(fill(tmp_path / "pictures", "1.png", "2.jpg", "3.bmp", "4.webp", "5.jpeg"))

    @pytest.fixture
    def away(self, tmp_path):
        return source_of(tmp_path / "missing")


def test_numbers_in_names_count_as_numbers(tmp_path):
    folder = fill(tmp_path, "frame10.png", "frame2.png", "Frame1.PNG".lower(), "a.png")

    assert [path.name for path in natural_order(folder)] == ["a.png", "frame1.png", "frame2.png", "frame10.png"]


def test_only_pictures_count(tmp_path):
    folder = fill(tmp_path, "1.png", "2.jpg")
    (folder / "notes.txt").write_text("x")
    (folder / ".hidden.png").write_bytes(b"x")
    (folder / "inner.png").mkdir()

    assert [path.name for path in natural_order(folder)] == ["1.png", "2.jpg"]


def test_pictures_follow_one_another_at_the_cameras_rate(tmp_path):
    source = source_of(fill(tmp_path, "1.png", "2.png", "3.png"), SourceSettings("yard", fps=4))
    source.open()

    assert [f.captured_ns - 10**9 for f in read_all(source)] == [0, 250_000_000, 500_000_000]


def test_sizes_may_differ(tmp_path):
    write_picture(tmp_path / "1.png", rgb_areas(192, 96))
    write_picture(tmp_path / "2.png", rgb_areas(60, 90))
    source = source_of(tmp_path)
    source.open()

    assert [(f.width, f.height) for f in read_all(source)] == [(192, 96), (60, 90)]


def test_size_fits_every_picture_into_a_frame(tmp_path):
    write_picture(tmp_path / "1.png", rgb_areas(192, 96))
    write_picture(tmp_path / "2.png", rgb_areas(60, 90))
    source = source_of(tmp_path, SourceSettings("yard", size=(96, 96)))
    source.open()

    assert [(f.width, f.height) for f in read_all(source)] == [(96, 48), (64, 96)]


def test_a_broken_picture_is_passed_over_and_leaves_a_gap(tmp_path, caplog):
    folder = fill(tmp_path, "1.png", "2.png", "3.png", "4.png")
    for name in ("2.png", "3.png"):
        (folder / name).write_bytes(b"nothing like a picture")
    source = source_of(folder)
    source.open()

    frames = read_all(source)

    assert [f.sequence for f in frames] == [0, 3]
    assert [f.captured_ns - 10**9 for f in frames] == [0, 300_000_000]
    assert "2.png" in caplog.text
    assert "passed over 2 pictures" in caplog.text

    told = len(caplog.records)
    source.open()  # as a loop does, all day long
    read_all(source)

    assert len(caplog.records) == told


def test_the_first_picture_may_be_broken(tmp_path):
    folder = fill(tmp_path, "1.png", "2.png")
    (folder / "1.png").write_bytes(b"")
    source = source_of(folder)
    source.open()

    assert [f.sequence for f in read_all(source)] == [1]


def test_a_folder_of_nothing_but_broken_pictures_is_refused(tmp_path):
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"no")

    with pytest.raises(RecordingError, match="none of the 2"):
        source_of(tmp_path).open()


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(RecordingError, match="an empty folder"):
        source_of(tmp_path).open()


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "clip.mp4").touch()

    with pytest.raises(RecordingError, match="1 other files"):
        source_of(tmp_path).open()


def test_a_single_picture_is_a_recording_of_one_frame(tmp_path):
    source = source_of(fill(tmp_path, "1.png") / "1.png")
    source.open()

    assert len(read_all(source)) == 1


def test_a_single_broken_picture_says_what_it_is(tmp_path):
    (tmp_path / "1.png").write_text("hello")

    with pytest.raises(RecordingError, match="found text"):
        source_of(tmp_path / "1.png").open()


def test_a_photograph_stands_upright_as_its_exif_says(tmp_path):
    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(rgb_areas(192, 96)[..., ::-1]))
    tiff = b"II*\0" + (8).to_bytes(4, "little") + b"\1\0" + b"\x12\1\3\0\1\0\0\0\6\0\0\0" + b"\0" * 4
    exif = b"Exif\0\0" + tiff
    content = jpeg.tobytes()
    (tmp_path / "1.jpg").write_bytes(
        content[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + content[2:]
    )
    source = source_of(tmp_path)
    source.open()

    image = source.read().image

    assert image.shape == (192, 96, 3)
    assert image[10, 48].argmax() == 0  # red was left; orientation 6 turns it to the top
    assert image[180, 48].argmax() == 2
