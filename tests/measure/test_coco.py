"""Average precision against figures worked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edge.core.values import Detections, as_detections
from edge.measure.annotations import Annotations, Picture, TrueBox
from edge.measure.classes import match_classes
from edge.measure.coco import Scores, score

Corner = tuple[float, float, float, float]
LEFT: Corner = (0, 0, 40, 40)
RIGHT: Corner = (60, 0, 100, 40)
NOWHERE: Corner = (0, 60, 40, 100)


def box(category: str, corners: Corner, *, picture: int = 0, crowd: bool = False) -> TrueBox:
    x1, y1, x2, y2 = corners
    return TrueBox(picture, category, x1, y1, x2, y2, (x2 - x1) * (y2 - y1), crowd)


def truth(*boxes: TrueBox, pictures: int = 1) -> Annotations:
    names = tuple(dict.fromkeys(one.category for one in boxes))
    return Annotations(tuple(Picture(f"{i}.jpg", 100, 100) for i in range(pictures)), names, boxes)


def scores(
    annotations: Annotations,
    labels: Sequence[str],
    *found: Detections,
    groups: dict[str, tuple[str, ...]] | None = None,
) -> Scores:
    return score(annotations, match_classes(labels, groups, annotations.categories).scored, found)


def test_a_perfect_model_scores_one() -> None:
    result = scores(truth(box("cat", LEFT)), ["cat"], as_detections([LEFT], [0.9], [0]))

    assert (result.map, result.ap50, result.ap75) == pytest.approx((1.0, 1.0, 1.0))
    assert result.per_class[0].objects == 1


def test_a_false_box_between_two_right_ones_costs_what_coco_says() -> None:
    """Recall 0.5 at precision 1, recall 1 at precision 2/3: 51 of COCO's 101 recall points at 1, 50 at 2/3."""
    annotations = truth(box("cat", LEFT), box("cat", RIGHT))

    result = scores(annotations, ["cat"], as_detections([LEFT, NOWHERE, RIGHT], [0.9, 0.8, 0.7], [0, 0, 0]))

    assert result.map == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert result.ap50 == pytest.approx(result.map)


def test_a_box_of_iou_0_62_counts_at_three_of_ten_thresholds() -> None:
    result = scores(truth(box("cat", (0, 0, 100, 40))), ["cat"], as_detections([(0, 0, 62, 40)], [0.9], [0]))

    assert result.map == pytest.approx(0.3)
    assert (result.ap50, result.ap75) == pytest.approx((1.0, 0.0))


def test_the_mean_is_over_the_labels_that_have_objects() -> None:
    """cat is found, dog is not, bird has no object: (1 + 0) / 2."""
    annotations = Annotations((Picture("0.jpg"),), ("cat", "dog", "bird"), (box("cat", LEFT), box("dog", RIGHT)))

    result = scores(annotations, ["cat", "dog", "bird"], as_detections([LEFT, NOWHERE], [0.9, 0.8], [0, 2]))

    assert result.map == pytest.approx(0.5)
    assert {row.label: row.ap for row in result.per_class} == pytest.approx({"cat": 1.0, "dog": 0.0})


def test_categories_the_model_does_not_know_do_not_count() -> None:
    annotations = truth(box("cat", LEFT), box("zebra", RIGHT))

    assert scores(annotations, ["cat"], as_detections([LEFT], [0.9], [0])).map == pytest.approx(1.0)


def test_labels_the_set_does_not_know_do_not_count_as_false() -> None:
    found = as_detections([RIGHT, LEFT], [0.95, 0.9], [1, 0])

    assert scores(truth(box("cat", LEFT)), ["cat", "unicorn"], found).map == pytest.approx(1.0)


def test_the_categories_of_a_group_are_one_class() -> None:
    annotations = truth(box("car", LEFT), box("truck", RIGHT))
    found = as_detections([LEFT, RIGHT], [0.9, 0.8], [0, 0])

    result = scores(annotations, ["vehicle"], found, groups={"vehicle": ("car", "truck")})

    assert [(row.label, row.objects) for row in result.per_class] == [("vehicle", 2)]
    assert result.map == pytest.approx(1.0)


def test_a_detection_inside_a_crowd_is_not_false() -> None:
    annotations = truth(box("cat", LEFT), box("cat", (50, 0, 100, 100), crowd=True))
    found = as_detections([(60, 10, 70, 20), LEFT], [0.95, 0.9], [0, 0])

    result = scores(annotations, ["cat"], found)

    assert result.map == pytest.approx(1.0)
    assert result.per_class[0].objects == 1


def test_the_second_box_on_the_same_object_is_false() -> None:
    """Precision falls only after full recall, so the two cats of two pictures show it: 1, 1/2, 2/3."""
    annotations = truth(box("cat", LEFT), box("cat", LEFT, picture=1), pictures=2)
    twice = as_detections([LEFT, LEFT], [0.9, 0.8], [0, 0])

    result = scores(annotations, ["cat"], twice, as_detections([LEFT], [0.7], [0]))

    assert result.map == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_only_the_hundred_best_detections_of_a_picture_count() -> None:
    wrong = [NOWHERE] * 100
    found = as_detections([*wrong, LEFT], [*np.linspace(0.9, 0.5, 100), 0.4], [0] * 101)

    assert scores(truth(box("cat", LEFT)), ["cat"], found).map == 0.0


def test_slices_are_by_the_area_of_the_object() -> None:
    """20 x 20 is small (up to 32 x 32), 40 x 40 medium (up to 96 x 96); the set has no large one."""
    annotations = truth(box("cat", (60, 60, 80, 80)), box("cat", LEFT))

    result = scores(annotations, ["cat"], as_detections([LEFT], [0.9], [0]))

    assert {one.name: one.map for one in result.slices} == pytest.approx({"small": 0.0, "medium": 1.0, "large": None})
    assert [one.objects for one in result.slices] == [1, 1, 0]


def test_a_model_that_sees_nothing_scores_zero() -> None:
    assert scores(truth(box("cat", LEFT)), ["cat"], Detections.empty()).map == 0.0


def test_a_set_without_objects_has_no_figure() -> None:
    annotations = Annotations((Picture("0.jpg"),), ("cat",), ())

    result = scores(annotations, ["cat"], as_detections([LEFT], [0.9], [0]))

    assert (result.map, result.per_class) == (None, ())


def test_nothing_is_printed_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    scores(truth(box("cat", LEFT)), ["cat"], as_detections([LEFT], [0.9], [0]))

    assert capsys.readouterr().out == ""
