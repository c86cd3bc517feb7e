"""Thresholds and cards from what was seen."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.errors import ConfigError
from tests.training.sets import sample
from tools.training.cards import Training, data_card, read_sources
from tools.training.classes import parse_classes
from tools.training.describing import choose_threshold, compare_at_recall, figures_of, table_of
from tools.training.precision import Found, match_all

OBJECT = (0, 0, 40, 40)


def seen(*scores: float) -> Found:
    """The object, then false boxes beside it, with these scores."""
    boxes = [OBJECT, *((60 * n, 100, 60 * n + 40, 140) for n in range(1, len(scores)))]
    return Found(np.array(boxes, np.float32), np.array(scores, np.float32), np.zeros(len(scores), np.int64))


def test_the_threshold_leaves_few_false_boxes():
    samples = [sample([OBJECT])] * 10
    found = [seen(0.9, 0.44)] * 2 + [seen(0.8, 0.31)] * 8

    matches = [match_all(samples, found, class_id=0)]

    assert choose_threshold(matches, wrong_a_picture=0.2) == pytest.approx(0.32)
    assert choose_threshold(matches, wrong_a_picture=0.1) == pytest.approx(0.45)


def test_two_models_are_compared_where_both_find_as_much():
    samples = [sample([OBJECT])] * 2
    ours = match_all(samples, [seen(0.9, 0.5), seen(0.2)], class_id=0)
    theirs = match_all(samples, [seen(0.8, 0.7, 0.6), seen(0.1, 0.05)], class_id=0)

    one = compare_at_recall("person", ours, theirs, threshold=0.6)

    assert (one.recall, one.ours, one.theirs) == (0.5, 0.0, 0.0)


def test_figures_come_with_their_objects_and_interval():
    rows = figures_of([sample([OBJECT])] * 3, [seen(0.9)] * 3, parse_classes("person"))

    assert [(row.size, row.objects, row.ap50) for row in rows if row.objects] == [("all", 3, 1.0), ("medium", 3, 1.0)]
    assert "| person | all | 3 | 1.000 | 1.000 | 1.000 to 1.000 |" in table_of(rows)


def test_the_data_card_tells_each_sources_licence(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text("yard: {origin: our own camera, licence: CC0-1.0}\n")
    content = {
        "images": [{"id": 1, "source": "yard"}],
        "annotations": [
            {"image_id": 1, "category_id": 1},
            {"image_id": 1, "category_id": 1, "score": 0.7},
            {"image_id": 1, "category_id": 1, "score": 0.4},
        ],
        "categories": [{"id": 1, "name": "person"}],
    }

    card = data_card(content, read_sources(path), held_out=12)

    assert "| yard | 1 | person 1 | 1 | 1 | our own camera | CC0-1.0 |" in card


def test_a_source_of_unknown_licence_is_refused():
    content = {"images": [{"id": 1, "source": "web"}], "annotations": [], "categories": []}

    with pytest.raises(ConfigError, match=r"\['web'\] of the set are not described"):
        data_card(content, {}, held_out=12)


def test_training_tells_its_energy():
    assert Training("a small computer", 1000, 3600.0, 20.0).text == (
        "1,000 augmented pictures in 60.0 minutes on a small computer, about 20.0 Wh at 20 W."
    )
