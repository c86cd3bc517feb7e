"""Sets packed into one: boxes follow their pictures, test pictures stay out."""

from __future__ import annotations

import json
import shutil

import pytest

from edge.core.errors import ConfigError, EdgeError
from tests.training.sets import write_set
from tools.training.packing import Packing, pack


def test_pictures_shrink_and_their_boxes_with_them(tmp_path):
    outline = [[20, 20, 40, 20, 40, 60]]
    box = {"category_id": 1, "bbox": [20, 20, 20, 40], "area": 800, "segmentation": outline, "score": 0.6}
    write_set(tmp_path / "one", annotations=[box], side=128, source="made", labelled=[2])

    pack([tmp_path / "one"], tmp_path / "out", Packing(longest=64), never=[])

    packed = json.loads((tmp_path / "out" / "instances.json").read_text())
    picture, found = packed["images"][0], packed["annotations"][0]
    assert (picture["width"], picture["height"], picture["source"], picture["labelled"]) == (64, 64, "made", [2])
    assert (found["bbox"], found["area"], found["score"]) == ([10, 10, 10, 20], 200, 0.6)
    assert found["segmentation"] == [[10, 10, 20, 10, 20, 30]]
    assert (tmp_path / "out" / "images" / picture["file_name"]).is_file()


def test_pictures_of_one_name_in_two_sets_are_kept_apart(tmp_path):
    box = {"category_id": 1, "bbox": [1, 1, 9, 9]}
    sets = [write_set(tmp_path / name, annotations=[box]) for name in ("one", "two")]

    pack(sets, tmp_path / "out", Packing(), never=[])

    packed = json.loads((tmp_path / "out" / "instances.json").read_text())
    assert [one["file_name"] for one in packed["images"]] == ["a.jpg", "b.jpg", "a_2.jpg", "b_2.jpg"]
    assert [one["image_id"] for one in packed["annotations"]] == [1, 3]


def test_a_test_picture_is_known_by_its_number(tmp_path):
    test = write_set(tmp_path / "test", names=("000000000139.png",))
    train = write_set(tmp_path / "train", names=("coco_000000000139.png", "b.png"))

    with pytest.raises(ConfigError, match="000000000139"):
        pack([train], tmp_path / "out", Packing(), never=[test])


def test_a_test_picture_under_another_name_is_known_by_its_looks(tmp_path):
    test = write_set(tmp_path / "test", names=("000000000139.png",), side=96)
    train = write_set(tmp_path / "train", names=("holiday.png",))
    shutil.copy(test / "images" / "000000000139.png", train / "images" / "holiday.png")

    with pytest.raises(ConfigError, match=r"holiday\.png looks like a picture of a test set"):
        pack([train], tmp_path / "out", Packing(longest=80), never=[test])


def test_categories_are_one_by_their_names_whatever_their_numbers(tmp_path):
    box = {"category_id": 1, "bbox": [1, 1, 9, 9]}
    one = write_set(tmp_path / "one", annotations=[box], categories=("person", "car"))
    two = write_set(tmp_path / "two", annotations=[box], categories=("car", "person"), labelled=[2])

    pack([one, two], tmp_path / "out", Packing(), never=[])

    packed = json.loads((tmp_path / "out" / "instances.json").read_text())
    names = {entry["id"]: entry["name"] for entry in packed["categories"]}
    assert [names[found["category_id"]] for found in packed["annotations"]] == ["person", "car"]
    assert [names[number] for number in packed["images"][-1]["labelled"]] == ["person"]


def test_too_large_a_folder_is_told(tmp_path):
    train = write_set(tmp_path / "train", side=128)

    with pytest.raises(EdgeError, match=r"more than 0\.001; use a smaller --longest"):
        pack([train], tmp_path / "out", Packing(limit_mb=0.001), never=[])
