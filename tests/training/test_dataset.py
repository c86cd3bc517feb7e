"""What the trainer takes for an object, for background, and for neither; and which pictures it never takes."""

from __future__ import annotations

import pytest

from edge.core.errors import ConfigError, UsageError
from tests.training.sets import sample, write_set
from tools.training.classes import parse_classes
from tools.training.dataset import read_samples, read_training_samples, split_samples

PLAN = parse_classes("person,vehicle=car+bus")


def test_categories_become_the_classes_that_name_them(tmp_path):
    folder = write_set(tmp_path, annotations=[{"category_id": 2, "bbox": [10, 20, 30, 5]}])

    first, second = read_samples(folder, PLAN)

    assert first.classes.tolist() == [1]
    assert first.boxes.tolist() == [[10, 20, 40, 25]]
    assert len(second.boxes) == 0


def test_a_category_may_not_belong_to_two_classes():
    with pytest.raises(UsageError, match="car stands twice"):
        parse_classes("vehicle=car+bus,wheels=car")


@pytest.mark.parametrize(
    ("extra", "ignored"),
    [
        ({}, [False]),
        ({"score": 0.7}, [False]),
        ({"score": 0.4}, [True]),
        ({"score": 0.2}, []),
        ({"score": 0.42, "doubtful": False}, [False]),
        ({"score": 0.16, "doubtful": True}, [True]),
        ({"iscrowd": 1}, [True]),
    ],
)
def test_unsure_labels_and_crowds_are_neither_object_nor_background(tmp_path, extra, ignored):
    folder = write_set(tmp_path, annotations=[{"category_id": 1, "bbox": [1, 2, 30, 40], **extra}])

    assert read_samples(folder, PLAN)[0].ignored.tolist() == ignored


@pytest.mark.parametrize("name", ["val2017_000000000139.jpg", "coco-dev-1.png"])
def test_pictures_that_figures_are_told_on_are_not_trained_on(tmp_path, name):
    folder = write_set(tmp_path, names=(name,))

    with pytest.raises(ConfigError, match="may not be trained on"):
        read_training_samples(folder, PLAN)


def test_a_name_that_leaves_the_folder_is_refused(tmp_path):
    folder = write_set(tmp_path)
    path = folder / "instances.json"
    path.write_text(path.read_text().replace("a.png", "../../secret.png"))

    with pytest.raises(ConfigError, match="inside images/"):
        read_samples(folder, PLAN)


def test_a_set_without_any_of_the_classes_is_refused(tmp_path):
    folder = write_set(tmp_path, categories=("cat",))

    with pytest.raises(ConfigError, match=r"none of the categories.*it has \['cat'\]"):
        read_samples(folder, PLAN)


def test_a_folder_without_labels_says_what_is_expected(tmp_path):
    with pytest.raises(ConfigError, match=r"instances\.json and images/"):
        read_samples(tmp_path, PLAN)


def test_the_frames_of_a_recording_stay_on_one_side_of_the_split():
    frames = [sample(name=f"clip{clip}-{frame:03d}.jpg") for clip in range(30) for frame in range(4)]

    train, held = split_samples(frames, percent=30)

    assert train
    assert held
    assert not {one.group for one in train} & {one.group for one in held}


def test_the_split_of_a_picture_does_not_depend_on_the_others():
    pictures = [sample(name=f"picture_{n:012d}.jpg") for n in range(100)]

    _, held = split_samples(pictures, percent=20)
    _, held_of_half = split_samples(pictures[::2], percent=20)

    assert {one.name for one in held_of_half} == {one.name for one in held} & {one.name for one in pictures[::2]}
