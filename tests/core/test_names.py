from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.home import expand_home
from edge.core.names import is_name, label_slug, label_slugs
from edge.core.shared_files import shared_folder


@pytest.mark.parametrize("name", ["yard", "gate-2", "a_b", "0", "x" * 64])
def test_plain_names_are_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "Yard", "a/b", "a+b", "a#", "a b", "ä", "x" * 65, "a\n", "$SYS", "\u202ea"])
def test_whatever_a_topic_or_a_file_system_could_read_as_more_is_no_name(name: str) -> None:
    assert not is_name(name)


@given(st.text(max_size=200))
def test_every_label_has_a_slug_that_is_a_name(label: str) -> None:
    assert is_name(label_slug(label))


def test_a_label_of_two_words_keeps_both() -> None:
    assert label_slug("Traffic Light") == "traffic_light"


def test_the_home_of_nobody_is_left_as_it_is() -> None:
    assert expand_home("~no-such-user-here/x") == Path("~no-such-user-here/x")
    assert expand_home("~/x").is_absolute()


def test_the_files_beside_the_code_are_found() -> None:
    assert (shared_folder("models") / "edge-default.tflite").is_file()
    assert (shared_folder("systemd") / "edge.service").is_file()


def test_labels_that_would_be_written_alike_are_told_apart_whatever_their_order() -> None:
    labels = ["traffic light", "Traffic-Light", "traffic_light", "person", "\u4eba", "\u8f66", "x" * 80, "x" * 81]

    slugs = label_slugs(labels)

    assert slugs["traffic_light"] == "traffic_light"
    assert slugs["person"] == "person"
    assert len(set(slugs.values())) == len(labels)
    assert all(is_name(slug) for slug in slugs.values())
    assert label_slugs(reversed(labels)) == slugs


def test_a_label_that_shares_with_none_is_written_plainly() -> None:
    assert label_slugs(["traffic light", "person"]) == {"traffic light": "traffic_light", "person": "person"}
