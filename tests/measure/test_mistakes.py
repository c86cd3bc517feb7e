"""False and missed boxes at a threshold."""

from __future__ import annotations

from edge.core.values import as_detections
from edge.measure.annotations import Annotations
from edge.measure.classes import ScoredClass
from edge.measure.mistakes import PictureMistakes, find_mistakes, tally
from tests.measure.test_coco import LEFT, NOWHERE, RIGHT, box, truth

CAT = (ScoredClass("cat", (0,), ("cat",)),)


def mistakes(annotations: Annotations, *found: object, threshold: float = 0.5) -> PictureMistakes:
    return find_mistakes(annotations, CAT, found, threshold=threshold)[0]  # type: ignore[arg-type]


def test_right_false_and_missed_boxes_are_told_apart() -> None:
    annotations = truth(box("cat", LEFT), box("cat", RIGHT))

    one = mistakes(annotations, as_detections([LEFT, NOWHERE], [0.9, 0.8], [0, 0]))

    assert one.right == {"cat": 1}
    assert one.false[0].boxes.tolist() == [list(NOWHERE)]
    assert one.missed[0].boxes.tolist() == [list(RIGHT)]
    assert one.count == 2


def test_what_lies_below_the_threshold_was_not_reported() -> None:
    one = mistakes(truth(box("cat", LEFT)), as_detections([LEFT], [0.4], [0]))

    assert (one.right["cat"], len(one.false), len(one.missed)) == (0, 0, 1)


def test_a_second_box_on_the_same_object_is_false() -> None:
    one = mistakes(truth(box("cat", LEFT)), as_detections([LEFT, LEFT], [0.9, 0.8], [0, 0]))

    assert (one.right["cat"], len(one.false[0].boxes)) == (1, 1)


def test_a_box_inside_a_crowd_is_neither_right_nor_false() -> None:
    crowd = truth(box("cat", (0, 0, 100, 100), crowd=True))

    one = mistakes(crowd, as_detections([LEFT], [0.9], [0]))

    assert (one.right["cat"], one.count) == (0, 0)


def test_precision_and_recall_come_from_the_counts_of_all_pictures() -> None:
    annotations = truth(box("cat", LEFT), box("cat", RIGHT), box("cat", LEFT, picture=1), pictures=2)
    found = [as_detections([LEFT, NOWHERE], [0.9, 0.8], [0, 0]), as_detections([], [], [])]

    row = tally(CAT, find_mistakes(annotations, CAT, found, threshold=0.5))[0]

    assert (row.right, row.false, row.missed) == (1, 1, 2)
    assert (row.precision, row.recall) == (1 / 2, 1 / 3)


def test_a_label_never_reported_has_no_precision() -> None:
    row = tally(CAT, find_mistakes(truth(box("cat", LEFT)), CAT, [as_detections([], [], [])], threshold=0.5))[0]

    assert (row.precision, row.recall) == (None, 0.0)
