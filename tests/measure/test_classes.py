"""Matching a model's words with a data set's."""

from __future__ import annotations

import pytest

from edge.core.errors import ConfigError
from edge.measure.classes import ScoredClass, match_classes


def test_names_match_whatever_their_case_and_spaces() -> None:
    match = match_classes(["Traffic_Light", "cell-phone"], None, ["cell phone", "traffic light"])

    assert match.scored == (
        ScoredClass("Traffic_Light", (0,), ("traffic light",)),
        ScoredClass("cell-phone", (1,), ("cell phone",)),
    )


def test_the_older_names_of_four_categories_are_known() -> None:
    match = match_classes(
        ["aeroplane", "motorbike", "sofa", "tvmonitor", "pottedplant"],
        None,
        ["airplane", "motorcycle", "couch", "tv", "potted plant"],
    )

    assert [entry.categories for entry in match.scored] == [
        ("airplane",),
        ("motorcycle",),
        ("couch",),
        ("tv",),
        ("potted plant",),
    ]


def test_a_group_takes_the_boxes_of_all_its_categories() -> None:
    match = match_classes(
        ["person", "vehicle"], {"vehicle": ("car", "truck", "tram")}, ["person", "car", "truck", "cat"]
    )

    assert match.scored[1] == ScoredClass("vehicle", (1,), ("car", "truck"))
    assert match.unknown_categories == ("cat",)


def test_what_only_one_side_knows_is_left_out_and_named() -> None:
    match = match_classes(["person", "???", "unicorn"], None, ["person", "cat"])

    assert match.unscored_labels == ("???", "unicorn")
    assert match.unknown_categories == ("cat",)


def test_a_label_that_stands_twice_is_one_class() -> None:
    match = match_classes(["cat", "dog", "cat"], None, ["cat", "dog"])

    assert match.scored[0] == ScoredClass("cat", (0, 2), ("cat",))


def test_nothing_in_common_is_an_error_that_shows_both_sides() -> None:
    with pytest.raises(ConfigError, match=r"face.*person, cat.*groups"):
        match_classes(["face"], None, ["person", "cat"])


def test_letters_of_every_alphabet_are_compared() -> None:
    assert match_classes(["猫"], None, ["犬", "猫"]).scored[0].categories == ("猫",)
