"""A day in front of a parked car, and days with a clock that steps: through tracker and rules together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from edge.core.events import EventType, Occurrence
from edge.core.values import Detections, Frame, as_detections
from edge.track.rulebook import Layout, RuleBook
from edge.track.rules.absence import Absence
from edge.track.rules.appear import Appear
from edge.track.rules.count import Count
from edge.track.rules.dwell import Dwell
from edge.track.rules.enter import Enter
from edge.track.rules.terms import Terms
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker
from tests.builders import START
from tests.track.stage import MIDDLE, SIZE

LABELS = ("person", "car", "truck")
_IMAGE = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
_LIGHT_CHANGE_S, _LIGHT_LASTS_S = 3600, 90


def run(book: RuleBook, scene: Iterator[tuple[float, Detections]], steps: dict[float, float]) -> list[Occurrence]:
    """Through the tracker; ``steps``: at which second the wall clock is stepped by how many seconds."""
    tracker = Tracker(TrackerSettings(LABELS, (0.5, 0.5, 0.5)))
    told: list[Occurrence] = []
    for sequence, (now_s, detections) in enumerate(scene):
        now_ns = round(now_s * 1e9)
        lag_s = sum(by_s for at_s, by_s in steps.items() if at_s <= now_s)
        frame = Frame(_IMAGE, "yard", sequence, now_ns, START + timedelta(seconds=now_s + lag_s))
        told += book.update(tracker.update(detections, now_ns), frame)
    return told + book.finish()


def parked_car(seconds: int, fps: float) -> Iterator[tuple[float, Detections]]:
    """2 % misses, 3 % jitter; each hour the light changes: the box shifts by a sixth, half of the sights are weak,
    the first 15 s are blind, and for a while it is taken for a truck."""
    random = np.random.default_rng(7)
    box = np.array([420.0, 250.0, 540.0, 330.0])
    shadow = np.zeros(4)
    for number in range(round(seconds * fps)):
        now_s = number / fps
        since_s = now_s % _LIGHT_CHANGE_S if now_s >= _LIGHT_CHANGE_S else 1e9
        if since_s < 1 / fps:
            shadow = np.array([0.0, 0.0, 20.0, 13.0]) * random.choice([-1, 0, 1], 4)
        is_changing = since_s < _LIGHT_LASTS_S
        if random.random() < 0.02 or since_s < 15.0:
            yield now_s, Detections.empty()
            continue
        seen = box + shadow + random.normal(0, 2.5, 4)
        score = random.uniform(0.3, 0.6) if is_changing else random.uniform(0.6, 0.9)
        yield now_s, as_detections([seen], [score], [2 if is_changing and random.random() < 0.4 else 1])


def rules() -> list:
    return [
        Appear(Terms("appear", label="car")),
        Enter(Terms("enter", label="car", zone="middle")),
        Dwell(Terms("dwell", label="car", zone="middle"), 60.0),
        Count(Terms("count", label="car", zone="middle"), 1, 0.0),
    ]


@pytest.mark.parametrize(
    ("hours", "fps"), [(6, 0.5), pytest.param(24, 1.0, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_a_car_that_is_parked_for_a_day_alerts_once(hours: int, fps: float) -> None:
    told = run(RuleBook(Layout(zones=MIDDLE), rules()), parked_car(hours * 3600, fps), steps={})

    # the tracker itself loses it: the light takes longer to settle than it waits
    assert sum(each.type is EventType.TRACK_START for each in told) == hours
    assert sorted(each.rule.name for each in told if each.rule) == ["appear", "count", "dwell", "enter"]


def visit(*, fps: float = 10.0) -> Iterator[tuple[float, Detections]]:
    """Nobody for 5 s, a walk through the zone, and nobody again."""
    random = np.random.default_rng(8)
    for number in range(round(25 * fps)):
        now_s = number / fps
        x = 100 + (now_s - 5) * 80
        if not 5 <= now_s < 15:
            yield now_s, Detections.empty()
        else:
            box = np.array([x - 20, 200, x + 20, 300]) + random.normal(0, 1.0, 4)
            yield now_s, as_detections([box], [random.uniform(0.6, 0.9)], [0])


def facts(told: list[Occurrence]) -> list[tuple]:
    return [(each.type, each.happened_ns, each.track, each.zones, each.line, each.rule) for each in told]


@pytest.mark.parametrize("step_s", [-50 * 365.25 * 86400, 3600.0, -2.0])
def test_a_clock_that_is_stepped_changes_nothing_but_wall_times(step_s: float) -> None:
    def watch(steps: dict[float, float]) -> list[Occurrence]:
        every = [*rules(), Absence(Terms("absence", label="person", zone="middle"), 3.0), Appear(Terms("any"))]
        layout = Layout(zones=MIDDLE, lines={"gate": ((0.5, 0.0), (0.5, 1.0))})
        return run(RuleBook(layout, every), visit(), steps)

    plain, stepped = watch({}), watch({9.0: step_s, 12.0: -step_s, 18.0: step_s})

    assert facts(stepped) == facts(plain)
    assert len(plain) > 6
    assert [each.happened_at for each in stepped] != [each.happened_at for each in plain]
    for each in stepped:
        assert all(reason.value >= 0 for reason in (each.rule.why if each.rule else ()))
        assert each.track is None or each.happened_ns >= each.track.first_seen_ns
