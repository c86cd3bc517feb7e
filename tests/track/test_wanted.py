"""What a camera asks for."""

from __future__ import annotations

import pytest

from edge.core.errors import ConfigError
from edge.core.values import as_detections
from edge.track.settings import kept_score
from edge.track.wanted import Wanted, lowest_score

LABELS = ("person", "car", "dog")


def found(*pairs: tuple[str, float]):
    return as_detections(
        [(0, 0, 10, 10)] * len(pairs), [score for _, score in pairs], [LABELS.index(name) for name, _ in pairs]
    )


def names(detections) -> list[str]:
    return [LABELS[class_id] for class_id in detections.class_ids]


def test_only_the_chosen_labels_are_wanted():
    wanted = Wanted(LABELS, chosen=["dog", "person"])

    assert names(wanted.select(found(("person", 0.9), ("car", 0.9), ("dog", 0.9)))) == ["person", "dog"]


def test_no_choice_wants_everything():
    assert names(Wanted(LABELS).select(found(("person", 0.9), ("car", 0.9)))) == ["person", "car"]


def test_the_tracker_gets_half_the_score_that_is_shown_to_people():
    wanted = Wanted(LABELS, default=0.5, thresholds={"person": 0.6})
    all_found = found(("person", 0.65), ("person", 0.31), ("car", 0.26), ("dog", 0.2))

    assert names(wanted.select(all_found)) == ["person", "person", "car"]
    assert names(wanted.confident(all_found)) == ["person"]
    assert wanted.start_scores == (0.6, 0.5, 0.5)


def test_the_decoder_must_let_through_the_lowest_score_any_camera_keeps():
    yard = Wanted(LABELS, chosen=["person"], default=0.9, thresholds={"person": 0.6, "car": 0.1})
    door = Wanted(LABELS, default=0.5, thresholds={"dog": 0.4})

    assert yard.lowest_score == pytest.approx(0.3)
    assert lowest_score([yard, door]) == pytest.approx(0.2)


@pytest.mark.parametrize(("start", "kept"), [(0.5, 0.25), (0.15, 0.1), (0.05, 0.05), (0.0, 0.0), (1.0, 0.5)])
def test_the_kept_score_is_half_but_not_below_a_tenth(start, kept):
    assert kept_score(start) == pytest.approx(kept)


def test_a_misspelt_label_names_the_nearest():
    with pytest.raises(ConfigError, match=r"camera 'yard'.*'persn'.*did you mean 'person'"):
        Wanted(LABELS, chosen=["persn"], camera="yard")


def test_a_threshold_for_an_unknown_label_is_refused():
    with pytest.raises(ConfigError, match="no label 'zebra'; it knows person, car, dog"):
        Wanted(LABELS, thresholds={"zebra": 0.5})


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_outside_its_range_is_refused(value):
    with pytest.raises(ConfigError, match="between 0 and 1"):
        Wanted(LABELS, default=value)


def test_a_score_can_be_changed_and_changed_back() -> None:
    wanted = Wanted(LABELS, default=0.5, thresholds={"person": 0.6})

    wanted.override({"person": 0.9})
    stricter = names(wanted.confident(found(("person", 0.8), ("car", 0.5))))
    wanted.override({})
    before = names(wanted.confident(found(("person", 0.8), ("car", 0.5))))

    assert (stricter, before) == (["car"], ["person", "car"])
    assert wanted.scores["person"] == 0.6


def test_a_label_that_is_not_wanted_stays_so_whatever_its_score() -> None:
    wanted = Wanted(LABELS, chosen=["person"])

    wanted.override({"car": 0.1})

    assert "car" not in wanted.scores
    assert names(wanted.select(found(("car", 0.9)))) == []
