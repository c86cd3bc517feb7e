"""``edge eval`` as a command: its figures, its report, its errors."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import PHOTOGRAPHS, edge

# The astronaut's outline as a box, by eye on the photograph; the motorcycle fills its own.
BOXES = {
    "astronaut.png": (512, 512, 1, (0, 0, 450, 512)),
    "motorcycle_left.png": (741, 500, 4, (10, 20, 730, 495)),
}


@pytest.fixture
def photographs(tmp_path: Path) -> tuple[Path, Path]:
    """(folder of pictures, annotation file): a person and a motorcycle, and a cat no model here knows."""
    images = tmp_path / "images"
    images.mkdir()
    content: dict[str, list[Any]] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": 1, "name": "person"}, {"id": 4, "name": "motorcycle"}, {"id": 90, "name": "teapot"}],
    }
    for number, (name, (width, height, category, (x1, y1, x2, y2))) in enumerate(BOXES.items()):
        shutil.copy(PHOTOGRAPHS / name, images)
        content["images"].append({"id": number, "file_name": name, "width": width, "height": height})
        content["annotations"].append(
            {"id": number, "image_id": number, "category_id": category, "bbox": [x1, y1, x2 - x1, y2 - y1]}
        )
    annotations = tmp_path / "instances.json"
    annotations.write_text(json.dumps(content))
    return images, annotations


def test_the_default_model_is_measured_on_its_groups(photographs: tuple[Path, Path]) -> None:
    images, annotations = photographs

    answer = edge("eval", "--model", "edge-default", "--images", images, "--annotations", annotations, "--json")

    (result,) = answer.objects()
    assert answer.code == 0
    assert answer.err == ""
    assert (result["model"], result["images"]) == ("edge-default", 2)
    assert set(result["per_class"]) == {"person", "vehicle"}
    assert result["per_class"]["vehicle"]["ap50"] > 0.9
    assert 0 < result["map"] < result["ap50"] <= 1
    assert result["unknown_categories"] == ["teapot"]
    assert result["seconds"] > 0


def test_the_report_can_be_read_by_people_and_programs(photographs: tuple[Path, Path], tmp_path: Path) -> None:
    images, annotations = photographs
    folder = tmp_path / "report"

    answer = edge(
        "eval", "--model", "edge-default", "--images", images, "--annotations", annotations, "--report", folder,
        "--threshold", "0.9999",
    )  # fmt: skip

    assert answer.code == 0, answer.err
    assert "mAP" in answer.out
    assert str(folder / "report.md") in answer.err
    figures = json.loads((folder / "report.json").read_text())
    rows = list(csv.DictReader((folder / "per_class.csv").read_text().splitlines()))
    assert [row["label"] for row in rows] == list(figures["per_class"])
    text = (folder / "report.md").read_text()
    drawn = list((folder / "mistakes").iterdir())
    assert len(drawn) == 2  # at this threshold both objects are missed
    assert all(f"mistakes/{path.name}" in text for path in drawn)


def test_a_limit_takes_the_first_pictures(photographs: tuple[Path, Path]) -> None:
    images, annotations = photographs

    (result,) = edge(
        "eval", "--model", "edge-default", "--images", images, "--annotations", annotations, "--json", "--limit", "1"
    ).objects()

    assert (result["images"], list(result["per_class"])) == (1, ["person"])


def test_pictures_that_can_not_be_read_are_named_and_end_in_1(photographs: tuple[Path, Path]) -> None:
    images, annotations = photographs
    (images / "astronaut.png").write_bytes(b"")

    answer = edge("eval", "--model", "edge-default", "--images", images, "--annotations", annotations, "--json")

    (result,) = answer.objects()
    assert answer.code == 1
    assert "astronaut.png" in answer.err
    assert (result["images"], result["left_out"][0]["file"]) == (1, "astronaut.png")


def test_wrong_paths_and_contents_each_give_one_error(photographs: tuple[Path, Path], tmp_path: Path) -> None:
    images, annotations = photographs
    empty = tmp_path / "empty"
    empty.mkdir()
    broken = tmp_path / "broken.json"
    broken.write_text('{"images": 3}')
    foreign = tmp_path / "foreign.json"
    foreign.write_text(annotations.read_text().replace("person", "teacup").replace("motorcycle", "saucer"))

    def answer(model: str = "edge-default", *, folder: Path = images, file: Path = annotations, **more: Path) -> Any:
        options = [part for key, value in more.items() for part in (f"--{key}", str(value))]
        return edge("eval", "--model", model, "--images", folder, "--annotations", file, *options)

    answer(folder=tmp_path / "nowhere").assert_one_error(2, "nowhere")
    answer(folder=annotations).assert_one_error(2, "--images")
    answer(file=tmp_path / "nowhere.json").assert_one_error(2, "nowhere.json")
    answer(file=broken).assert_one_error(78, "broken.json", "images")
    answer(file=foreign).assert_one_error(78, "no name in common", "teacup")
    answer(folder=empty).assert_one_error(1, "none of the 2 pictures")
    answer("no-such-model").assert_one_error(78, "no-such-model")
    answer(report=annotations).assert_one_error(2, "--report")


def test_without_pycocotools_it_says_what_to_install(photographs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "bare" / "pycocotools").mkdir(parents=True)
    (tmp_path / "bare" / "pycocotools" / "__init__.py").write_text("raise ImportError('not installed')")
    images, annotations = photographs

    answer = edge(
        "eval", "--model", "edge-default", "--images", images, "--annotations", annotations,
        first_on_path=tmp_path / "bare",
    )  # fmt: skip

    answer.assert_one_error(78, "pip install 'edge-detector[eval]'")
