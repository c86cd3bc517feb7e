"""The teacher: who may teach, and what it adds to a set."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edge.core.errors import ConfigError
from tests.catalog.made_models import yolov8
from tests.tflite_builder import ssd_postprocess
from tests.training.sets import write_set
from tools.training.classes import parse_classes
from tools.training.teacher import open_teacher, summary, teach

PLAN = parse_classes("person,car")


@pytest.fixture
def teacher(tmp_path):
    """An SSD that sees in every view one person for sure and one car perhaps, in the left and the right half."""
    scores = np.array([[[0, 0.9, 0], [0, 0, 0.4]]], np.float32)
    anchors = np.array([[0.5, 0.25, 0.5, 0.4], [0.5, 0.75, 0.5, 0.4]], np.float32)
    build = ssd_postprocess(encodings=np.zeros((1, 2, 4), np.float32), scores=scores, anchors=anchors)
    build.attach("labelmap.txt", "person\ncar\n")
    return open_teacher(str(build.write(tmp_path / "ssd.tflite")), licence="Apache-2.0", tiles="1x1")


def content_of(folder):
    return json.loads((folder / "instances.json").read_text())


def test_pictures_without_labels_get_the_teachers_with_its_scores(tmp_path, teacher):
    folder = write_set(tmp_path / "set", names=("a.png",), labelled=[])

    taught = teach(folder, content_of(folder), teacher, PLAN)

    rows = [(one["category_id"], one["score"], one["bbox"]) for one in taught["annotations"]]
    assert [row[:2] for row in rows] == [(1, 0.9), (2, 0.4)]
    assert rows[0][2] == pytest.approx([3.2, 16, 25.6, 32], abs=0.1)
    assert summary(content_of(folder), taught) == "boxes: person 1; 1 places where something may be are ignored"
    assert "Apache-2.0" in taught["info"]["teacher"]


def test_what_people_have_labelled_in_full_is_left_alone(tmp_path, teacher):
    folder = write_set(tmp_path / "set", names=("a.png",), labelled=[1])

    taught = teach(folder, content_of(folder), teacher, PLAN)

    assert [one["category_id"] for one in taught["annotations"]] == [2]


def test_gaps_in_people_s_labels_are_filled_where_asked(tmp_path, teacher):
    drawn = {"category_id": 1, "bbox": [3.2, 16, 25.6, 32]}  # the person whom the teacher sees, but not the car
    folder = write_set(tmp_path / "set", names=("a.png",), annotations=[drawn], labelled=[1, 2])

    left = teach(folder, content_of(folder), teacher, PLAN)
    filled = teach(folder, content_of(folder), teacher, PLAN, fill=True)

    assert len(left["annotations"]) == 1
    assert [(one["category_id"], one.get("doubtful")) for one in filled["annotations"]] == [(1, None), (2, True)]


def test_what_a_person_has_already_drawn_is_not_drawn_again(tmp_path, teacher):
    same = {"category_id": 2, "bbox": [3.2, 16, 25.6, 32]}  # the labeller calls it a car
    folder = write_set(tmp_path / "set", names=("a.png",), annotations=[same], labelled=[2])

    taught = teach(folder, content_of(folder), teacher, PLAN)

    assert len(taught["annotations"]) == 1


def test_weights_under_a_licence_that_spreads_may_not_teach(tmp_path):
    build = yolov8()
    build.attach(
        "metadata.json", json.dumps({"task": "detect", "license": "AGPL-3.0", "names": [f"n{n}" for n in range(80)]})
    )

    with pytest.raises(ConfigError, match=r"AGPL-3\.0"):
        open_teacher(str(build.write(tmp_path / "y.tflite")), licence="MIT", tiles="1x1")


def test_yolo_weights_need_their_licence_said(tmp_path):
    path = yolov8().write(tmp_path / "y.tflite")

    with pytest.raises(ConfigError, match=r"usually AGPL-3\.0"):
        open_teacher(str(path), licence=None, tiles="1x1")


def test_test_pictures_are_not_labelled(tmp_path, teacher):
    folder = write_set(tmp_path / "coco-dev", names=("a.png",))

    with pytest.raises(ConfigError, match="may not be trained on"):
        teach(folder, content_of(folder), teacher, PLAN)
