"""A camera without a clock battery: it starts in 1970, and one day somebody sets the clock."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.core.values import Box
from edge.track.rules.appear import Appear
from edge.track.rules.dwell import Dwell
from edge.track.rules.terms import Terms
from tests.track.stage import MIDDLE, Stage, alerts, box_at

DECADE_S = 10 * 365.25 * 86400
steps = st.lists(st.floats(-DECADE_S, DECADE_S), min_size=1, max_size=8)


def shown(stage: Stage, boxes: dict[int, Box], *, for_s: int, jumps: list[float]) -> None:
    """A frame a second; before each the wall clock may step."""
    for second in range(for_s):
        stage.lag_s = jumps[second % len(jumps)]
        stage.show(boxes, after_s=1.0)


@given(steps)
def test_a_stay_is_measured_by_a_clock_that_never_steps(jumps: list[float]) -> None:
    stage = Stage.of(Dwell(Terms("stay", zone="middle"), seconds=5.0), zones=MIDDLE)

    shown(stage, {1: box_at(0.5)}, for_s=5, jumps=jumps)
    early = alerts(stage.told)
    shown(stage, {1: box_at(0.5)}, for_s=2, jumps=jumps)

    assert early == []
    assert len(alerts(stage.told)) == 1


@given(steps)
def test_a_cooldown_is_neither_cut_short_nor_stretched(jumps: list[float]) -> None:
    stage = Stage.of(Appear(Terms("somebody", cooldown_s=60.0)))

    shown(stage, {1: box_at(0.5)}, for_s=5, jumps=jumps)
    shown(stage, {1: box_at(0.5), 2: box_at(0.8)}, for_s=5, jumps=jumps)
    during = len(alerts(stage.told))
    shown(stage, {}, for_s=60, jumps=jumps)
    shown(stage, {3: box_at(0.5)}, for_s=5, jumps=jumps)

    assert during == 1
    assert len(alerts(stage.told)) == 2


def test_what_happened_in_1970_is_told_with_that_date_and_nothing_else_changes() -> None:
    stage = Stage.of(Appear(Terms("somebody")))

    told = stage.show({1: box_at(0.5)}, at=datetime(1970, 1, 1, tzinfo=UTC))

    assert [each.happened_at.year for each in told] == [1970] * len(told)
    assert alerts(told)
