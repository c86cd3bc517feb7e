"""Reading COCO annotation files: what is right is kept, what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import ConfigError, UsageError
from edge.measure.annotations import Picture, read_annotations
from tests.measure.sets import coco_file


def small() -> dict[str, Any]:
    return coco_file(
        pictures=[("a.jpg", 64, 48), ("b.jpg", 32, 32)],
        categories=["cat", "dog"],
        boxes=[(0, "cat", (1, 2, 11, 22)), (1, "dog", (0, 0, 8, 8))],
        crowds=[1],
    )


def write(folder: Path, content: object) -> Path:
    path = folder / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_file_gives_its_pictures_categories_and_boxes(tmp_path: Path) -> None:
    truth = read_annotations(write(tmp_path, small()))

    assert truth.pictures == (Picture("a.jpg", 64, 48), Picture("b.jpg", 32, 32))
    assert truth.categories == ("cat", "dog")
    assert [(box.picture, box.category, box.x1, box.y1, box.x2, box.y2, box.crowd) for box in truth.boxes] == [
        (0, "cat", 1, 2, 11, 22, False),
        (1, "dog", 0, 0, 8, 8, True),
    ]


def test_picture_ids_may_be_words_and_sizes_may_be_absent(tmp_path: Path) -> None:
    content = {
        "images": [{"id": "first", "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"image_id": "first", "category_id": 1, "bbox": [0, 0, 4, 5]}],
    }

    truth = read_annotations(write(tmp_path, content))

    assert truth.pictures == (Picture("a.png"),)
    assert truth.boxes[0].area == 20


def test_selected_pictures_keep_their_own_boxes(tmp_path: Path) -> None:
    truth = read_annotations(write(tmp_path, small())).select([1])

    assert [picture.file_name for picture in truth.pictures] == ["b.jpg"]
    assert [(box.picture, box.category) for box in truth.boxes] == [(0, "dog")]


def with_change(**change: Any) -> dict[str, Any]:
    return {**small(), **change}


def with_annotation(**change: Any) -> dict[str, Any]:
    content = small()
    content["annotations"][1].update(change)
    return content


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("", "expected COCO JSON"),
        ("not json at all", "expected COCO JSON"),
        ('{"images": [', "expected COCO JSON"),
        ("[" * 100_000, "expected COCO JSON"),
        ([], "expected COCO JSON"),
        ({"images": []}, "annotations"),
        (with_change(images=[]), "at least one entry in `images`"),
        (with_annotation(bbox=[1, 2, 3]), "annotations[1]"),
        (with_annotation(bbox=[1, 2, "three", 4]), "annotations[1].bbox"),
        (with_annotation(bbox=[1, 2, -3, 4]), "annotations[1]: bbox"),
        (with_annotation(image_id=5), "annotations[1]: image_id 5"),
        (with_annotation(category_id=5), "annotations[1]: category_id 5"),
        (with_change(categories=[{"id": 7, "name": "cat"}, {"id": 7, "name": "dog"}]), "id 7 is used twice"),
        (with_change(images=[{"id": 100, "file_name": "../../secret.jpg"}]), "inside the folder"),
        (with_change(images=[{"id": 100, "file_name": "/etc/secret.jpg"}]), "inside the folder"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, content: object, place: str) -> None:
    path = write(tmp_path, content)

    with pytest.raises(ConfigError) as caught:
        read_annotations(path)

    assert str(path) in str(caught.value)
    assert place in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "instances.json"
    path.write_bytes(b'{"images": "\xff\xfe"}')

    with pytest.raises(ConfigError, match="expected COCO JSON"):
        read_annotations(path)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_path_that_is_no_file_is_wrong_usage(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        read_annotations(tmp_path / name)


def test_what_other_tools_write_of_the_same_is_read(tmp_path: Path) -> None:
    """A byte order mark, crowds as booleans, sizes as real numbers or null."""
    content = small()
    content["images"][0] |= {"width": 64.0, "height": 48.0}
    content["images"][1] |= {"width": None, "height": None}
    content["annotations"][0]["iscrowd"], content["annotations"][1]["iscrowd"] = False, True

    truth = read_annotations(write(tmp_path, "\ufeff" + json.dumps(content)))

    assert truth.pictures == (Picture("a.jpg", 64, 48), Picture("b.jpg"))
    assert [box.crowd for box in truth.boxes] == [False, True]
