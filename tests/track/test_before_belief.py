"""What a thing does before the tracker believes in it is not lost."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from edge.core.events import EventType, LineCount, Occurrence
from edge.core.values import Detections, Frame, as_detections
from edge.track.rulebook import Layout, RuleBook
from edge.track.rules.enter import Enter
from edge.track.rules.terms import Terms
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker
from tests.builders import START
from tests.track.stage import GATE, MIDDLE

WIDTH, HEIGHT = 1000, 500
_IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


class Yard:
    """A tracker with rules behind it."""

    def __init__(self, fps: float, layout: Layout, *rules: Enter) -> None:
        self.tracker, self.book = Tracker(TrackerSettings(("person",))), RuleBook(layout, rules)
        self.fps, self.sequence = fps, 0
        self.told: list[Occurrence] = []

    def see(self, x: float | None, *, score: float = 0.6) -> list[Occurrence]:
        """One frame with a person whose foot stands at x; None = nobody."""
        self.sequence += 1
        now_s = self.sequence / self.fps
        boxes = [] if x is None else [[x * WIDTH - 20, 200, x * WIDTH + 20, 300]]
        found = as_detections(boxes, [score], [0]) if boxes else Detections.empty()
        frame = Frame(_IMAGE, "yard", self.sequence, round(now_s * 1e9), START + timedelta(seconds=now_s))
        told = self.book.update(self.tracker.update(found, frame.captured_ns), frame)
        self.told += told
        return told

    def of(self, kind: EventType) -> list[Occurrence]:
        return [each for each in self.told if each.type is kind]

    def counts(self) -> tuple[int, int]:
        found = {each.line: each for each in self.book.changes() if isinstance(each, LineCount)}
        return found["gate"].entered, found["gate"].left


@pytest.mark.parametrize("fps", [1, 2, 3, 5, 10, 15, 30])
@pytest.mark.parametrize("is_out", [True, False])
def test_a_line_crossed_between_the_first_two_sights_is_counted_once_the_right_way(fps: float, is_out: bool) -> None:
    """0.2 of the width a second at most, or a tenth of a box each frame."""
    yard = Yard(fps, Layout(lines=GATE))
    step = 0.01 if is_out else -0.01

    for number in range(10):
        yard.see(0.5 - step / 2 + step * number)

    (crossing,) = yard.of(EventType.LINE_CROSS)
    assert crossing.line is not None
    assert crossing.line.direction == ("out" if is_out else "in")
    assert crossing.frame_sequence == 2
    assert crossing.happened_ns == round(2 / fps * 1e9)
    assert yard.counts() == ((0, 1) if is_out else (1, 0))


def test_the_crossing_of_a_false_alarm_is_not_counted() -> None:
    yard = Yard(10, Layout(lines=GATE))

    yard.see(0.495)
    yard.see(0.505)
    for _ in range(30):
        yard.see(None)

    assert not yard.told
    assert yard.counts() == (0, 0)


def test_one_who_steps_over_the_line_and_back_before_it_is_believed_has_not_crossed() -> None:
    yard = Yard(10, Layout(lines=GATE))

    for x in (0.495, 0.505, 0.495, 0.485, 0.475, 0.465, 0.455, 0.445):
        yard.see(x, score=0.5)

    assert yard.of(EventType.TRACK_START)
    assert not yard.of(EventType.LINE_CROSS)


def test_a_thing_first_seen_inside_a_zone_entered_it_at_its_first_sight() -> None:
    yard = Yard(10, Layout(zones=MIDDLE), Enter(Terms("in", label="person", zone="middle")))

    for _ in range(6):
        yard.see(0.5)

    (entered,) = yard.of(EventType.ZONE_ENTER)
    assert entered.frame_sequence == 1
    assert entered.rule is not None


def test_a_thing_that_came_into_a_zone_before_it_was_believed_was_outside_first() -> None:
    yard = Yard(10, Layout(zones=MIDDLE))

    for number in range(8):
        yard.see(0.295 + 0.01 * number, score=0.5)

    (entered,) = yard.of(EventType.ZONE_ENTER)
    assert entered.frame_sequence == 2


def test_a_thing_that_left_a_zone_before_it_was_believed_has_been_there() -> None:
    yard = Yard(10, Layout(zones=MIDDLE))

    for x in (0.302, 0.296, 0.288, *np.arange(0.28, 0.1, -0.01)):
        yard.see(float(x), score=0.5)

    assert [each.frame_sequence for each in yard.of(EventType.ZONE_ENTER)] == [1]
    assert [each.frame_sequence for each in yard.of(EventType.ZONE_EXIT)] == [2]


@pytest.mark.parametrize("every_s", [3.0, 4.0, 10.0, 60.0])
def test_a_slow_camera_tells_who_stands_there_in_the_third_frame_and_keeps_its_name(every_s: float) -> None:
    yard = Yard(1 / every_s, Layout())

    for _ in range(3):
        yard.see(0.5)
    assert [each.frame_sequence for each in yard.of(EventType.TRACK_START)] in ([2], [3])
    for _ in range(20):
        yard.see(0.5)

    assert len(yard.of(EventType.TRACK_START)) == 1
    assert not yard.of(EventType.TRACK_END)


def test_a_camera_that_was_away_for_a_while_has_not_become_slow() -> None:
    """10 frames a second, then none for 20 s: who is there now is somebody else."""
    yard = Yard(10, Layout())
    for _ in range(20):
        yard.see(0.5)

    yard.sequence += 200
    for _ in range(10):
        yard.see(0.5)

    assert len(yard.of(EventType.TRACK_END)) == 1
    assert len(yard.of(EventType.TRACK_START)) == 2
