"""Rules, zones and lines change while the camera sees: what has not changed goes on, who is there stays there."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.events import EventType, LineCount, Occupancy
from edge.track.rulebook import Layout
from edge.track.rules.appear import Appear
from edge.track.rules.dwell import Dwell
from edge.track.rules.terms import Terms
from edge.track.wanted import Wanted
from tests.track.stage import GATE, MIDDLE, Stage, alerts, kinds

LEFT = {"left": ((0.0, 0.2), (0.3, 0.2), (0.3, 1.0), (0.0, 1.0))}


def dwell(seconds: float) -> Dwell:
    return Dwell(Terms("stays", zone="middle"), seconds)


def test_a_rule_that_has_not_changed_goes_on_counting_its_seconds() -> None:
    rule = dwell(10.0)
    stage = Stage.of(rule, zones=MIDDLE)
    stage.stay(1, 0.5, for_s=6.0)

    stage.book.change(Layout(zones=MIDDLE | LEFT), [rule, Appear(Terms("new"))], None, fresh=frozenset({"new"}))
    told = stage.stay(1, 0.5, for_s=5.0)

    assert kinds(stage.told) == ["track_start", "zone_enter", "dwell"]
    assert alerts(told) == [("stays", "dwell")]


def test_a_rule_with_other_words_speaks_about_who_is_there_already() -> None:
    stage = Stage.of(dwell(1.0), zones=MIDDLE)
    stage.stay(1, 0.5, for_s=2.0)

    stage.book.change(Layout(zones=MIDDLE), [dwell(4.0)], None, fresh=frozenset({"stays"}))
    told = stage.stay(1, 0.5, for_s=4.0)

    assert alerts(told) == [("stays", "dwell")]


def test_a_zone_that_is_drawn_elsewhere_is_another_zone() -> None:
    stage = Stage.of(zones=MIDDLE)
    stage.stay(1, 0.5, for_s=1.0)
    stage.book.changes()

    stage.book.change(Layout(zones={"middle": LEFT["left"]}), [], None, fresh=frozenset())
    told = stage.stay(1, 0.5, for_s=1.0)

    assert kinds(told) == []
    assert stage.book.changes() == [Occupancy("person", 0, "middle")]


def test_who_stands_in_a_new_zone_has_come_into_it() -> None:
    stage = Stage.of()
    stage.stay(1, 0.5, for_s=1.0)

    stage.book.change(Layout(zones=MIDDLE), [], None, fresh=frozenset())

    assert kinds(stage.stay(1, 0.5, for_s=1.0)) == ["zone_enter"]


def test_counts_of_lines_that_stay_go_on_and_others_begin_at_0() -> None:
    stage = Stage.of(lines=GATE)
    stage.walk(1, *np.arange(0.3, 0.7, 0.02))
    (before,) = [count for count in stage.book.changes() if isinstance(count, LineCount)]

    stage.book.change(Layout(lines=GATE | {"far": ((0.9, 0.0), (0.9, 1.0))}), [], None, fresh=frozenset())
    stage.walk(1, 0.7, 0.7)

    counts = [count for count in stage.book.changes() if isinstance(count, LineCount)]
    assert before.entered + before.left == 1
    assert [(count.line, count.entered + count.left) for count in counts] == [("far", 0)]


def test_a_passage_over_a_line_that_is_gone_is_forgotten() -> None:
    stage = Stage.of(lines=GATE)
    stage.walk(1, 0.3, 0.48, 0.501)

    stage.book.change(Layout(), [], None, fresh=frozenset())
    stage.walk(1, *np.arange(0.52, 0.7, 0.02))

    assert EventType.LINE_CROSS not in {each.type for each in stage.told + stage.book.finish()}


@pytest.mark.parametrize("chosen", [None, ("car",)])
def test_other_thresholds_hold_for_the_same_object_and_those_of_commands_come_on_top(
    chosen: tuple[str, ...] | None,
) -> None:
    wanted = Wanted(("person", "car"), thresholds={"person": 0.7})

    wanted.become(Wanted(("person", "car"), chosen=chosen, default=0.4))
    wanted.override({"car": 0.9})

    assert wanted.scores == ({"car": 0.9} if chosen else {"person": 0.4, "car": 0.9})
