"""Counts are told when they change, and only then."""

from __future__ import annotations

from edge.core.events import LineCount, Occupancy
from tests.builders import START
from tests.track.stage import GATE, MIDDLE, Stage, box_at


def test_counts_begin_at_0_so_that_nothing_old_is_believed() -> None:
    stage = Stage.of(zones=MIDDLE, lines=GATE, labels=("person", "car"))

    stage.show({})

    assert stage.book.changes() == [
        Occupancy("person", 0),
        Occupancy("car", 0),
        Occupancy("person", 0, "middle"),
        Occupancy("car", 0, "middle"),
        LineCount("gate", 0, 0, round(START.timestamp() * 1000) + 100),
    ]
    stage.show({})
    assert stage.book.changes() == []


def test_counts_follow_who_is_there_and_where() -> None:
    stage = Stage.of(zones=MIDDLE, labels=("person",))
    stage.show({})
    stage.book.changes()

    stage.show({1: box_at(0.1), 2: box_at(0.5)})
    assert stage.book.changes() == [Occupancy("person", 2), Occupancy("person", 1, "middle")]

    stage.show({1: box_at(0.1)}, hidden=[2])
    assert stage.book.changes() == []

    stage.show({1: box_at(0.1)})
    assert stage.book.changes() == [Occupancy("person", 1), Occupancy("person", 0, "middle")]


def test_a_label_nobody_named_is_told_once_it_was_seen() -> None:
    stage = Stage.of(zones=MIDDLE, labels=("person",))
    stage.show({})
    stage.book.changes()

    stage.show({1: box_at(0.5)}, label="dog")
    stage.show({})

    assert stage.book.changes() == [Occupancy("dog", 0), Occupancy("dog", 0, "middle")]


def test_when_the_camera_is_gone_nobody_is_there() -> None:
    stage = Stage.of(zones=MIDDLE)
    stage.show({1: box_at(0.5)})
    stage.book.changes()

    stage.book.finish()

    assert stage.book.changes() == [Occupancy("person", 0), Occupancy("person", 0, "middle")]
