"""Suppression in native code against a plain greedy loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edge.infer.nms import suppress as suppress_sorted
from tests.infer.reference import Found, iou, nms_slowly


def suppress(boxes, scores, class_ids, *, iou, max_boxes):
    """Best first, as the keeper calls it; the answer in the caller's numbering."""
    order = np.argsort(-scores, kind="stable")
    return order[suppress_sorted(boxes[order], class_ids[order], iou=iou, max_boxes=max_boxes)]


IOU = 0.4512  # no ratio of small whole numbers: no tie at the limit


def boxes_of(corners, sizes):
    return np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)


@st.composite
def crowds(draw):
    """Boxes with halves of pixels, partly outside the picture, of few or very many classes; scores may be equal."""
    n = draw(st.integers(1, 40))
    corners = draw(npst.arrays(np.int32, (n, 2), elements=st.integers(-60, 120))) / 2
    sizes = draw(npst.arrays(np.int32, (n, 2), elements=st.integers(1, 120))) / 2
    classes = draw(npst.arrays(np.int32, n, elements=st.sampled_from([0, 1, 2, 89, 9999, 2**31 - 1])))
    scores = draw(npst.arrays(np.int32, n, elements=st.integers(1, 20))) / 20
    return boxes_of(corners, sizes), scores.astype(np.float32), classes


@settings(deadline=None)
@given(crowds(), st.sampled_from([1, 3, 300]))
def test_it_keeps_what_a_greedy_loop_keeps(crowd, max_boxes):
    boxes, scores, class_ids = crowd

    kept = suppress(boxes, scores, class_ids, iou=IOU, max_boxes=max_boxes)

    order = np.argsort(-scores, kind="stable")
    rows = [Found(tuple(boxes[i].tolist()), float(scores[i]), int(class_ids[i])) for i in order]
    expected = nms_slowly(rows, IOU)[:max_boxes]
    found = [Found(tuple(boxes[i].tolist()), float(scores[i]), int(class_ids[i])) for i in kept]
    assert found == expected


@settings(max_examples=30, deadline=None)
@given(crowds())
def test_what_stays_does_not_overlap_and_what_goes_has_a_better_one(crowd):
    boxes, scores, class_ids = crowd

    kept = suppress(boxes, scores, class_ids, iou=IOU, max_boxes=len(boxes)).tolist()

    def clash(i, j):
        return class_ids[i] == class_ids[j] and iou(boxes[i].tolist(), boxes[j].tolist()) > IOU

    assert not any(clash(i, j) for i in kept for j in kept if i != j)
    gone = set(range(len(boxes))) - set(kept)
    assert all(any(clash(i, j) and scores[j] >= scores[i] for j in kept) for i in gone)


def test_classes_stay_apart_left_of_the_picture():
    # With OpenCV's own offsets the second box would be moved onto the first.
    boxes = np.array([[80, 80, 100, 100], [-21, -21, -1, -1]], np.float32)

    kept = suppress(boxes, np.array([0.9, 0.8], np.float32), np.array([0, 1], np.int32), iou=0.1, max_boxes=10)

    assert kept.tolist() == [0, 1]


def test_a_far_away_box_does_not_blur_the_others():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [1e30, 1e30, 3e30, 3e30], [0, 0, 10, 10]], np.float32)
    scores, class_ids = np.array([0.9, 0.8, 0.7, 0.6], np.float32), np.array([5, 5, 70, 6], np.int32)

    kept = suppress(boxes, scores, class_ids, iou=0.5, max_boxes=10)

    assert kept.tolist() == [0, 2, 3]


@pytest.mark.parametrize("max_boxes", [1, 300, 2000])
def test_a_crowd_larger_than_the_first_try_is_settled_exactly(max_boxes):
    rng = np.random.default_rng(0)
    boxes = boxes_of(rng.uniform(0, 600, (3000, 2)), rng.uniform(10, 200, (3000, 2)))
    scores, class_ids = rng.random(3000).astype(np.float32), rng.integers(0, 2, 3000).astype(np.int32)

    kept = suppress(boxes, scores, class_ids, iou=0.3, max_boxes=max_boxes)

    everything = suppress(boxes, scores, class_ids, iou=0.3, max_boxes=10**9)
    np.testing.assert_array_equal(kept, everything[:max_boxes])
    assert (np.diff(scores[kept]) <= 0).all()


def test_nothing_stays_of_nothing():
    empty = np.zeros((0, 4), np.float32)

    kept = suppress(empty, np.zeros(0, np.float32), np.zeros(0, np.int32), iou=0.5, max_boxes=5)

    assert kept.shape == (0,)
