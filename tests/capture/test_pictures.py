from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.capture import pictures
from edge.capture.picture_header import read_header
from edge.capture.pictures import read_picture, write_picture
from edge.core.errors import EdgeError, RecordingError, UsageError
from tests.contracts.frame_source import assert_rgb_areas, rgb_areas


def encoded(suffix: str) -> bytes:
    is_encoded, content = cv2.imencode(suffix, np.ascontiguousarray(rgb_areas()[..., ::-1]))
    assert is_encoded
    return content.tobytes()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises any size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".bmp", ".webp"])
def test_what_is_written_is_read_again_in_its_colours(tmp_path, suffix):
    write_picture(tmp_path / f"picture{suffix}", rgb_areas())

    image = read_picture(tmp_path / f"picture{suffix}")

    assert image.shape == (96, 192, 3)
    assert image.flags.c_contiguous
    assert_rgb_areas(image)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
def test_a_cut_off_picture_is_refused(tmp_path, suffix):
    content = encoded(suffix)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: len(content) * 3 // 4])

    with pytest.raises(RecordingError, match="192x96 that is cut off"):
        read_picture(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
def test_no_cut_of_a_picture_does_more_than_a_recording_error(tmp_path, suffix):
    content = encoded(suffix)
    path = tmp_path / f"cut{suffix}"
    for end in [*range(1, 64), *range(64, len(content), max(1, len(content) // 40))]:
        path.write_bytes(content[:end])

        with pytest.raises(RecordingError):
            read_picture(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "empty file"),
        (b"hello, I am a letter", "text"),
        (b"GIF89a" + bytes(50), "a GIF"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "MP4"),
        (bytes(range(128, 228)), "unknown bytes"),
        (b"\xff\xd8\xff", "ends inside its header"),
        (png_claiming(0, 5), "no pixels"),
    ],
    ids=["empty", "text", "gif", "heic", "mp4", "bytes", "stub", "no pixels"],
)
def test_what_is_no_picture_is_named(tmp_path, content, found):
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)

    with pytest.raises(RecordingError, match=found) as caught:
        read_picture(path)

    assert str(path) in str(caught.value)


def test_a_missing_picture_and_a_folder_are_named(tmp_path):
    with pytest.raises(RecordingError, match="found nothing there"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(RecordingError, match="a folder"):
        read_picture(tmp_path)


def test_a_small_file_that_promises_a_gigantic_picture_is_refused_undecoded(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_claiming(50_000, 50_000))

    with pytest.raises(RecordingError, match="at most 100 megapixels, found a PNG of 50000x50000"):
        read_picture(path)


def test_a_file_too_large_to_be_a_picture_is_refused_unread(tmp_path):
    path = tmp_path / "large.bmp"
    with path.open("wb") as file:
        file.truncate(pictures.MAX_BYTES + 1)  # sparse: takes no room

    with pytest.raises(RecordingError, match="at most 128 MiB"):
        read_picture(path)


def test_a_whole_file_with_damaged_pixels_is_refused(tmp_path):
    content = bytearray(encoded(".png"))
    middle = content.index(b"IDAT") + 4
    content[middle : middle + 8] = b"\xff" * 8
    (tmp_path / "damaged.png").write_bytes(content)

    with pytest.raises(RecordingError, match=r"damaged|cut off"):
        read_picture(tmp_path / "damaged.png")


def test_grey_sixteen_bit_and_transparent_pictures_become_rgb(tmp_path):
    kinds = {
        "grey.png": np.full((20, 30), 128, np.uint8),
        "deep.png": np.full((20, 30, 3), 32768, np.uint16),
        "clear.png": np.full((20, 30, 4), 128, np.uint8),
    }
    for name, pixels in kinds.items():
        assert cv2.imwrite(str(tmp_path / name), pixels)

    for name in kinds:
        image = read_picture(tmp_path / name)
        assert image.shape == (20, 30, 3)
        assert abs(int(image[5, 5, 0]) - 128) <= 1


def test_an_unknown_ending_can_not_be_written(tmp_path):
    with pytest.raises(UsageError, match=r"\.gif"):
        write_picture(tmp_path / "picture.gif", rgb_areas())


def test_a_folder_that_is_not_there_can_not_be_written_to(tmp_path):
    with pytest.raises(EdgeError, match="can't write"):
        write_picture(tmp_path / "none" / "picture.png", rgb_areas())


def test_writing_leaves_nothing_but_the_picture(tmp_path):
    write_picture(tmp_path / "picture.png", rgb_areas())
    write_picture(tmp_path / "picture.png", rgb_areas())

    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF\0\0\0\0WEBP"]), st.binary(max_size=200))
def test_no_bytes_make_the_header_reader_stumble(magic, rest):
    header = read_header(magic + rest)

    assert header is None or (header.width >= 0 and header.height >= 0)


@pytest.mark.shared
def test_the_photographs_have_their_sizes(shared: Path):
    sizes = {"bus.jpg": (1080, 810), "grace_hopper.bmp": (600, 512), "cat_720p.jpg": None}

    for name, size in sizes.items():
        image = read_picture(shared / "data" / "images" / name)
        assert size is None or image.shape[:2] == size


@pytest.mark.shared
def test_every_photograph_of_the_data_set_is_whole(shared: Path):
    for path in sorted((shared / "data" / "coco-dev" / "images").iterdir()):
        assert read_header(path.read_bytes()).is_whole, path
