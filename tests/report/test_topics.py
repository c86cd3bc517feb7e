"""Topics are built from checked names only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import ConfigError
from edge.report.topics import Topics

BAD_NAMES = ["", "a/b", "a+b", "#", "Yard", "yärd", "a b", "x" * 65, "a\0b", "$sys"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize(
    "build",
    [
        Topics,
        Topics("gate").event,
        Topics("gate").camera_status,
        Topics("gate").cursor,
        Topics("gate").command,
        lambda name: Topics("gate").line("yard", name),
        lambda name: Topics("gate").zone_count("yard", name, "person"),
    ],
    ids=["device", "event", "camera status", "cursor", "command", "line", "zone"],
)
def test_a_name_that_may_not_stand_in_a_topic_is_refused(build: Callable[[str], object], name: str) -> None:
    with pytest.raises(ConfigError, match="expected 1 to 64 of a-z"):
        build(name)


@given(st.text())
def test_any_label_becomes_one_harmless_level(label: str) -> None:
    topic = Topics("gate").count("yard", label)

    assert topic.count("/") == 5
    assert not set(topic) & set("+#\0 ")


def test_birth_goes_from_the_device_to_its_details() -> None:
    topics = Topics("gate")
    in_order = [
        topics.status(),
        topics.info(),
        topics.discovery(),
        topics.camera_status("yard"),
        topics.count("yard", "person"),
        topics.health(),
    ]

    assert [topics.birth_rank(topic) for topic in in_order] == [0, 1, 2, 3, 4, 5]
    assert topics.birth_rank(topics.zone_count("yard", "drive", "person")) == 4
    assert topics.birth_rank(topics.line("yard", "gate-line")) == 4
    assert topics.birth_rank(topics.snapshot("yard", "person")) == 5
