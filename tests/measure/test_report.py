"""The report folder, and the object that ``--json`` prints."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import msgspec
import pytest

from edge.core.clock import HandClock
from edge.core.errors import UsageError
from edge.core.model import Family, InputLayout, Model, ModelLayout
from edge.core.values import Detections, Frame, as_detections
from edge.measure.annotations import read_annotations
from edge.measure.classes import match_classes
from edge.measure.evaluation import Evaluation, evaluate
from edge.measure.mistakes import PictureMistakes, find_mistakes, tally
from edge.measure.report import write_report
from edge.measure.summary import Settings, Summary, summarise
from tests.measure.sets import coco_file, write_set

LEFT = (0.0, 0.0, 40.0, 40.0)
RIGHT = (60.0, 0.0, 100.0, 40.0)
NOWHERE = (0.0, 40.0, 40.0, 80.0)

Parts = tuple[Summary, Evaluation, tuple[PictureMistakes, ...]]


def see(frame: Frame) -> Detections:
    """The cat at the left, and one that is not there."""
    return as_detections([LEFT, NOWHERE], [0.9, 0.7], [0, 0])


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """Two pictures: in each the model finds one cat and invents one; in the second it misses one. It knows no dog."""
    content = coco_file(
        pictures=[("a.png", 100, 80), ("b | c.png", 100, 80)],
        categories=["cat", "dog"],
        boxes=[(0, "cat", LEFT), (1, "cat", LEFT), (1, "cat", RIGHT), (1, "dog", NOWHERE)],
    )
    images, annotations = write_set(tmp_path / "set", content)
    truth = read_annotations(annotations)
    classes = match_classes(["cat", "unicorn"], None, truth.categories)
    evaluation = evaluate(truth, classes, folder=images, detect=see, clock=HandClock(), on_picture=lambda: None)
    settings = Settings(threshold=0.001, nms_iou=0.7, max_boxes=300, working_threshold=0.5)
    mistakes = find_mistakes(evaluation.truth, classes.scored, evaluation.found, threshold=0.5)
    layout = ModelLayout(
        family=Family.YOLOV8, input=InputLayout(name="in", width=32, height=32, dtype="int8"), outputs={}, classes=2
    )
    model = Model("toy", Path("toy.tflite"), "ab" * 32, layout, ("cat", "unicorn"))
    return summarise(evaluation, model, settings, tally(classes.scored, mistakes)), evaluation, mistakes


def test_the_object_has_the_keys_that_scripts_rely_on(parts: Parts) -> None:
    written = json.loads(msgspec.json.encode(parts[0]))

    assert list(written)[:5] == ["model", "images", "map", "ap50", "per_class"]
    assert (written["model"], written["images"]) == ("toy", 2)
    cat = written["per_class"]["cat"]
    assert (cat["objects"], cat["precision"], cat["recall"]) == (3, 0.5, 0.6667)
    assert cat["ap"] == written["map"] == pytest.approx(written["ap50"])
    assert written["unscored_labels"] == ["unicorn"]
    assert written["unknown_categories"] == ["dog"]
    assert written["slices"]["large"] == {"map": None, "ap50": None, "objects": 0}


def test_the_folder_holds_text_figures_and_pictures(parts: Parts, tmp_path: Path) -> None:
    files = write_report(tmp_path / "report", *parts)

    assert files[0] == tmp_path / "report" / "report.md"
    assert all(path.is_file() for path in files)
    with (tmp_path / "report" / "per_class.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], row["objects"]) for row in rows] == [("cat", "3")]
    assert json.loads((tmp_path / "report" / "report.json").read_text())["images"] == 2


def test_the_picture_with_most_mistakes_comes_first(parts: Parts, tmp_path: Path) -> None:
    write_report(tmp_path, *parts)

    text = (tmp_path / "report.md").read_text()
    assert text.index("1-b | c: 1 false, 1 missed") < text.index("2-a: 1 false, 0 missed")
    drawn = cv2.imread(str(tmp_path / "mistakes" / "2-a.jpg"))
    assert drawn.shape == (80, 100, 3)
    assert (drawn != 114).any()


def test_a_model_without_mistakes_gets_no_pictures(parts: Parts, tmp_path: Path) -> None:
    summary, evaluation, _ = parts

    write_report(tmp_path, summary, evaluation, ())

    assert not (tmp_path / "mistakes").exists()
    assert "None at threshold 0.5" in (tmp_path / "report.md").read_text()


def test_what_was_not_measured_is_said(parts: Parts, tmp_path: Path) -> None:
    write_report(tmp_path, *parts)

    text = (tmp_path / "report.md").read_text()
    assert "not among the model's labels: dog" in text
    assert "not in the set: unicorn" in text


def test_a_folder_that_is_a_file_is_wrong_usage(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="file"):
        write_report(tmp_path / "file", *parts)
