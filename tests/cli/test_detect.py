"""``edge detect`` on photographs, and on what is none."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.command import PHOTOGRAPHS, edge

ASTRONAUT = PHOTOGRAPHS / "astronaut.png"
MOTORCYCLE = PHOTOGRAPHS / "motorcycle_left.png"


def test_the_default_model_sees_the_astronaut_and_the_motorcycle() -> None:
    answer = edge("detect", ASTRONAUT, MOTORCYCLE, "--json", "--threshold", "0.3")

    astronaut, motorcycle = answer.objects()
    assert answer.code == 0
    assert (astronaut["file"], astronaut["width"], astronaut["height"]) == (str(ASTRONAUT), 512, 512)
    assert astronaut["model"] == "edge-default"
    assert "person" in [one["label"] for one in astronaut["detections"]]
    assert motorcycle["detections"][0]["label"] == "vehicle"


def test_boxes_are_pixels_of_the_picture_best_first() -> None:
    (seen,) = edge("detect", MOTORCYCLE, "--json", "--threshold", "0.1").objects()

    scores = [one["score"] for one in seen["detections"]]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= 0.1
    for one in seen["detections"]:
        x1, y1, x2, y2 = one["box"]
        assert 0 <= x1 < x2 <= seen["width"]
        assert 0 <= y1 < y2 <= seen["height"]
    x1, y1, x2, y2 = seen["detections"][0]["box"]
    assert (x2 - x1) * (y2 - y1) > 0.3 * seen["width"] * seen["height"]  # it fills the picture


def test_people_get_a_table_and_the_place_of_the_drawn_picture(tmp_path: Path) -> None:
    answer = edge("detect", ASTRONAUT, "--draw", tmp_path / "drawn", "--threshold", "0.3")

    drawn = tmp_path / "drawn" / "astronaut.png"
    assert answer.code == 0
    assert "person" in answer.out
    assert str(drawn) in answer.out
    assert cv2.imread(str(drawn)).shape == (512, 512, 3)
    assert (cv2.imread(str(drawn)) != cv2.imread(str(ASTRONAUT))).any()


def test_a_picture_is_never_drawn_over_itself(tmp_path: Path) -> None:
    copy = tmp_path / "astronaut.png"
    shutil.copy(ASTRONAUT, copy)

    (seen,) = edge("detect", copy, "--json", "--draw", tmp_path).objects()

    assert copy.read_bytes() == ASTRONAUT.read_bytes()
    assert Path(seen["drawn"]).is_file()


def test_pictures_of_one_name_from_two_folders_are_both_drawn(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(ASTRONAUT, tmp_path / name)

    seen = edge("detect", tmp_path / "one", tmp_path / "two", "--json", "--draw", tmp_path / "drawn").objects()

    assert len({one["drawn"] for one in seen}) == 2
    assert all(Path(one["drawn"]).is_file() for one in seen)


def test_a_picture_without_an_ending_is_drawn_as_jpeg(tmp_path: Path) -> None:
    shutil.copy(ASTRONAUT, tmp_path / "photograph")

    (seen,) = edge("detect", tmp_path / "photograph", "--json", "--draw", tmp_path).objects()

    assert Path(seen["drawn"]) == tmp_path / "photograph.jpg"
    assert cv2.imread(seen["drawn"]) is not None


def test_a_folder_stands_for_its_pictures_in_order(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((48, 64, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((64, 48, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")

    answer = edge("detect", tmp_path, "--json")

    assert answer.code == 0
    assert [Path(one["file"]).name for one in answer.objects()] == ["a.jpg", "b.png"]


def test_nothing_to_see_is_an_empty_list(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((48, 64, 3), 114, np.uint8))

    (seen,) = edge("detect", tmp_path / "grey.png", "--json").objects()

    assert seen["detections"] == []


def test_people_are_told_when_nothing_scores_high_enough(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((48, 64, 3), 114, np.uint8))

    answer = edge("detect", tmp_path / "grey.png")

    assert answer.code == 0
    assert "nothing scores" in answer.out


def huge_png() -> bytes:
    """A header that promises 60000 x 60000 pixels, and hardly any data."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def test_broken_pictures_get_a_line_each_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("This is a text, not a picture. " * 20)
    (tmp_path / "truncated.png").write_bytes(ASTRONAUT.read_bytes()[:5000])
    (tmp_path / "huge.png").write_bytes(huge_png())
    shutil.copy(ASTRONAUT, tmp_path / "z.png")

    answer = edge("detect", tmp_path, "--json")

    assert answer.code == 1
    assert [Path(one["file"]).name for one in answer.objects()] == ["z.png"]
    lines = answer.err.strip().splitlines()
    assert len(lines) == 4, answer.err
    for name in ("empty.jpg", "text.jpg", "truncated.png", "huge.png"):
        assert sum(name in line for line in lines) == 1, answer.err


def test_a_missing_path_is_wrong_usage_and_nothing_is_run(tmp_path: Path) -> None:
    edge("detect", ASTRONAUT, tmp_path / "nowhere.jpg", "--json").assert_one_error(2, "nowhere.jpg")


def test_a_name_too_long_for_any_file_is_wrong_usage() -> None:
    edge("detect", "x" * 5000 + ".jpg").assert_one_error(2, "can't be read")


def test_a_folder_without_pictures_is_wrong_usage(tmp_path: Path) -> None:
    edge("detect", tmp_path).assert_one_error(2, str(tmp_path), "expected pictures")


def test_a_folder_that_can_not_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    edge("detect", ASTRONAUT, "--draw", tmp_path / "file").assert_one_error(2, "--draw", str(tmp_path / "file"))


def test_a_model_that_does_not_exist_is_a_model_error() -> None:
    edge("detect", ASTRONAUT, "--model", "no-such-model").assert_one_error(78, "no-such-model")


@pytest.mark.parametrize("value", ["1.5", "-1", "much"])
def test_a_threshold_outside_0_to_1_is_wrong_usage(value: str) -> None:
    answer = edge("detect", ASTRONAUT, "--threshold", value)

    assert answer.code == 2
    assert "--threshold" in answer.err
    assert "Traceback" not in answer.err


def test_a_file_name_that_is_no_text_is_told_with_its_bytes_escaped(tmp_path: Path) -> None:
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/cam\xff.png"))
    shutil.copy(ASTRONAUT, source)

    as_json, as_text = edge("detect", source, "--json", "--draw", tmp_path / "drawn"), edge("detect", source)

    (seen,) = as_json.objects()
    assert (as_json.code, as_text.code) == (0, 0), as_json.err + as_text.err
    assert seen["file"] == f"{tmp_path}/cam\\xff.png"
    assert seen["drawn"] == f"{tmp_path}/drawn/cam\\xff.png"
    assert "cam\\xff.png" in as_text.out
