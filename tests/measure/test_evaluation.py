"""A set of pictures through a detector to figures; the detector is a fake that knows where things are."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from edge.core.clock import HandClock
from edge.core.errors import EdgeError
from edge.core.values import Detections, Frame, as_detections
from edge.measure.annotations import read_annotations
from edge.measure.classes import match_classes
from edge.measure.evaluation import Evaluation, evaluate
from tests.measure.sets import coco_file, write_set

LEFT = (0.0, 0.0, 40.0, 40.0)


def see_left(frame: Frame) -> Detections:
    """Sees one cat at the left of every picture."""
    return as_detections([LEFT], [0.9], [0])


def run(folder: Path, images: Path, annotations: Path, *, clock: HandClock | None = None) -> Evaluation:
    truth = read_annotations(annotations)
    clock = clock or HandClock()

    def detect(frame: Frame) -> Detections:
        clock.advance(0.25)
        return see_left(frame)

    classes = match_classes(["cat"], None, truth.categories)
    return evaluate(truth, classes, folder=images, detect=detect, clock=clock, on_picture=lambda: None)


def two_cats(names: tuple[str, str] = ("a.png", "b.png")) -> dict[str, object]:
    return coco_file(
        pictures=[(name, 100, 80) for name in names],
        categories=["cat"],
        boxes=[(0, "cat", LEFT), (1, "cat", LEFT)],
    )


def test_pictures_are_seen_in_order_and_scored(tmp_path: Path) -> None:
    evaluation = run(tmp_path, *write_set(tmp_path, two_cats()))

    assert evaluation.scores.map == pytest.approx(1.0)
    assert [path.name for path in evaluation.paths] == ["a.png", "b.png"]
    assert evaluation.seconds == 0.5


def test_progress_is_told_once_per_picture(tmp_path: Path) -> None:
    images, annotations = write_set(tmp_path, two_cats())
    truth = read_annotations(annotations)
    counter = itertools.count(1)

    evaluate(
        truth,
        match_classes(["cat"], None, truth.categories),
        folder=images,
        detect=see_left,
        clock=HandClock(),
        on_picture=lambda: next(counter),  # type: ignore[arg-type,return-value]
    )

    assert next(counter) == 3


def test_a_broken_picture_is_left_out_with_its_boxes(tmp_path: Path) -> None:
    images, annotations = write_set(tmp_path, two_cats())
    (images / "b.png").write_bytes((images / "b.png").read_bytes()[:40])

    evaluation = run(tmp_path, images, annotations)

    assert evaluation.scores.map == pytest.approx(1.0)
    assert len(evaluation.truth.boxes) == 1
    assert [one.file_name for one in evaluation.left_out] == ["b.png"]


def test_a_picture_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    images, annotations = write_set(tmp_path, two_cats())
    (images / "a.png").unlink()

    evaluation = run(tmp_path, images, annotations)

    assert "no such picture" in evaluation.left_out[0].reason


def test_a_name_that_no_file_can_have_is_left_out(tmp_path: Path) -> None:
    content = two_cats()
    images, annotations = write_set(tmp_path, content)
    annotations.write_text(annotations.read_text().replace("a.png", "a" * 5000 + ".png"))

    evaluation = run(tmp_path, images, annotations)

    assert "can't be read" in evaluation.left_out[0].reason


def test_a_picture_of_another_size_than_labelled_is_left_out(tmp_path: Path) -> None:
    content = two_cats()
    images, annotations = write_set(tmp_path, content)
    (images / "a.png").write_bytes((images / "b.png").read_bytes())
    other = coco_file(pictures=[("b.png", 50, 80)], categories=["cat"], boxes=[])
    write_set(tmp_path / "other", other)
    (images / "b.png").write_bytes((tmp_path / "other/images/b.png").read_bytes())

    evaluation = run(tmp_path, images, annotations)

    assert "expected 100 x 80 pixels" in evaluation.left_out[0].reason


def test_a_folder_in_the_name_may_be_the_folder_of_pictures_itself(tmp_path: Path) -> None:
    images, annotations = write_set(tmp_path, two_cats(("val/a.png", "val/b.png")))

    assert run(tmp_path, images, annotations).left_out == ()
    assert run(tmp_path, images / "val", annotations).left_out == ()


def test_when_no_picture_can_be_read_there_is_no_figure(tmp_path: Path) -> None:
    _, annotations = write_set(tmp_path, two_cats())
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(EdgeError, match="none of the 2 pictures"):
        run(tmp_path, empty, annotations)
