"""The trainer's own average precision against pycocotools'."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.values import Detections
from edge.measure.annotations import Annotations, Picture, TrueBox
from edge.measure.classes import ScoredClass
from edge.measure.coco import score
from tests.training.sets import sample
from tools.training.precision import (
    AREAS,
    Found,
    average_precision,
    count_at,
    interval,
    match_all,
    precision_of,
    threshold_for_recall,
)


def found(boxes, scores) -> Found:
    return Found(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.zeros(len(boxes), np.int64)
    )


def random_set(seed: int, *, pictures: int = 12):
    """Objects from tiny to large, some of them crowds; found boxes near them and anywhere, distinct scores."""
    rng = np.random.default_rng(seed)
    samples, seen = [], []
    for _ in range(pictures):
        corners = rng.uniform(0, 300, (int(rng.integers(0, 7)), 2))
        truth = np.concatenate([corners, corners + rng.uniform(8, 200, corners.shape)], 1)
        crowd = rng.random(len(truth)) < 0.2
        near = truth + rng.normal(0, 12, truth.shape)
        low = rng.uniform(0, 300, (int(rng.integers(0, 5)), 2))
        boxes = np.concatenate([near, np.concatenate([low, low + rng.uniform(10, 150, low.shape)], 1)])
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        samples.append(sample([tuple(box) for box in truth], ignored=crowd.tolist()))
        scores = np.sort(rng.random(len(boxes)))[::-1]
        seen.append(found(rng.permutation(boxes), scores))
    return samples, seen


def by_pycocotools(samples, seen):
    boxes = [
        TrueBox(
            number, "a", *(float(v) for v in box), area=float((box[2] - box[0]) * (box[3] - box[1])), crowd=bool(crowd)
        )
        for number, one in enumerate(samples)
        for box, crowd in zip(one.boxes, one.ignored, strict=True)
    ]
    truth = Annotations(tuple(Picture(str(n)) for n in range(len(samples))), ("a",), tuple(boxes))
    return score(
        truth, [ScoredClass("a", (0,), ("a",))], [Detections(one.boxes, one.scores, one.classes) for one in seen]
    )


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_cocos(seed):
    samples, seen = random_set(seed)

    ours, theirs = average_precision(samples, seen, class_id=0), by_pycocotools(samples, seen)

    assert ours.ap == pytest.approx(theirs.map, abs=1e-6)
    assert ours.ap50 == pytest.approx(theirs.ap50, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_figures_by_size_are_cocos(seed):
    samples, seen = random_set(seed, pictures=30)

    theirs = {one.name: one.map for one in by_pycocotools(samples, seen).slices}

    for size, area in AREAS.items():
        ours = precision_of(match_all(samples, seen, class_id=0, area=area)).ap
        assert ours == pytest.approx(theirs[size], abs=1e-6)


def test_counts_at_a_threshold():
    samples = [sample([(0, 0, 10, 10), (50, 50, 60, 60)])]
    seen = [found([(0, 0, 10, 10), (100, 0, 110, 10), (50, 50, 60, 60)], [0.9, 0.8, 0.3])]

    at_half = count_at(match_all(samples, seen, class_id=0), 0.5)

    assert (at_half.right, at_half.wrong, at_half.objects) == (1, 1, 2)
    assert (at_half.precision, at_half.recall) == (0.5, 0.5)


def test_the_threshold_that_reaches_a_recall():
    samples = [sample([(0, 0, 10, 10), (50, 50, 60, 60)])]
    matches = match_all(samples, [found([(0, 0, 10, 10), (50, 50, 60, 60)], [0.9, 0.3])], class_id=0)

    assert threshold_for_recall(matches, 0.5) == pytest.approx(0.9)
    assert threshold_for_recall(matches, 1.0) == pytest.approx(0.3)
    assert threshold_for_recall(match_all(samples, [found([], [])], class_id=0), 0.5) is None


def test_without_an_object_there_is_no_figure():
    nothing = average_precision([sample()], [found([(0, 0, 5, 5)], [0.5])], class_id=0)

    assert nothing.ap is None
    assert interval(match_all([sample()], [found([], [])], class_id=0), rounds=5) is None


def test_the_interval_holds_the_figure():
    samples, seen = random_set(1, pictures=40)
    matches = match_all(samples, seen, class_id=0)

    low, high = interval(matches, rounds=100)

    assert low < precision_of(matches).ap50 < high
