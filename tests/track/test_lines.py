"""Lines: every crossing counts once, the right way."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from edge.core.events import EventType, LineCount, Occurrence
from edge.core.values import Box, Detections, Frame, as_detections
from edge.track.lines import passed
from edge.track.rulebook import Layout, RuleBook
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker
from tests.builders import START
from tests.track.stage import GATE, SIZE, Stage, box_at, of_kind

WIDTH, HEIGHT = SIZE


def crossings(told: list[Occurrence]) -> list[str]:
    return [each.line.direction for each in of_kind(told, EventType.LINE_CROSS)]


def counts(book: RuleBook) -> tuple[int, int]:
    (line,) = [each for each in book.changes() if isinstance(each, LineCount)]
    return line.entered, line.left


def test_down_the_picture_over_a_line_from_left_to_right_is_in() -> None:
    assert passed((0.5, 0.4), (0.5, 0.6), (0.2, 0.5), (0.8, 0.5)) == "in"
    assert passed((0.5, 0.6), (0.5, 0.4), (0.2, 0.5), (0.8, 0.5)) == "out"


def test_past_the_end_of_a_line_is_no_crossing() -> None:
    assert passed((0.1, 0.4), (0.1, 0.6), (0.2, 0.5), (0.8, 0.5)) is None
    assert passed((0.9, 0.6), (0.9, 0.4), (0.2, 0.5), (0.8, 0.5)) is None


def test_two_steps_that_meet_on_the_line_cross_it_once() -> None:
    start, end = (0.2, 0.5), (0.8, 0.5)

    assert passed((0.5, 0.4), (0.5, 0.5), start, end) == "in"
    assert passed((0.5, 0.5), (0.5, 0.6), start, end) is None
    assert passed((0.5, 0.5), (0.5, 0.4), start, end) == "out"


def test_a_crossing_happened_in_the_first_frame_behind_the_line() -> None:
    stage = Stage.of(lines=GATE)

    told = stage.walk(1, *np.arange(0.4, 0.6, 0.01))

    (crossing,) = of_kind(told, EventType.LINE_CROSS)
    assert crossing.line.name == "gate"
    assert crossing.line.direction == "out"
    assert crossing.happened_ns == crossing.track.last_seen_ns == 1_100_000_000
    assert crossing.frame_sequence == 10


def test_there_and_back_again_is_one_each_way() -> None:
    stage = Stage.of(lines=GATE)

    stage.walk(1, *np.arange(0.3, 0.7, 0.02), *np.arange(0.7, 0.3, -0.02))

    assert crossings(stage.told) == ["out", "in"]
    assert counts(stage.book) == (1, 1)


@pytest.mark.parametrize("fps", [1, 5, 30])
def test_a_thing_that_dithers_on_the_line_and_goes_on_is_counted_once(fps: float) -> None:
    random = np.random.default_rng(2)
    stage = Stage.of(lines=GATE)

    dither = 0.5 + random.normal(0, 0.002, round(60 * fps))
    stage.walk(1, 0.4, 0.45, *dither, 0.55, 0.6, every_s=1 / fps)

    assert crossings(stage.told) == ["out"]


def test_a_thing_that_dithers_on_the_line_and_turns_back_is_not_counted() -> None:
    random = np.random.default_rng(3)
    stage = Stage.of(lines=GATE)

    stage.walk(1, 0.4, 0.45, *(0.5 + random.normal(0, 0.002, 600)), 0.45, 0.4)
    stage.nothing(for_s=0.2)

    assert crossings(stage.told) == []


def test_a_thing_that_dithers_about_the_end_of_a_line_is_counted_at_most_once() -> None:
    random = np.random.default_rng(4)
    stage = Stage.of(lines={"short": ((0.5, 0.0), (0.5, 0.6))})

    for x, y in zip(0.5 + random.normal(0, 0.003, 600), 0.6 + random.normal(0, 0.003, 600), strict=True):
        stage.show({1: box_at(x, y)})
    stage.walk(1, 0.55, 0.6)

    assert len(crossings(stage.told)) <= 1


def test_a_track_that_ends_right_behind_the_line_has_crossed_it() -> None:
    stage = Stage.of(lines=GATE)
    stage.walk(1, 0.48, 0.495, 0.505)

    told = stage.nothing(for_s=0.1)

    assert crossings(told) == ["out"]


def test_the_end_of_a_recording_counts_who_stands_right_behind_the_line() -> None:
    stage = Stage.of(lines=GATE)
    stage.walk(1, 0.48, 0.495, 0.505)

    assert crossings(stage.book.finish()) == ["out"]
    assert counts(stage.book) == (0, 1)


def test_a_car_that_parks_on_the_line_is_counted_when_it_stands() -> None:
    stage = Stage.of(lines=GATE)
    stage.walk(1, 0.48, 0.495, 0.505)

    told = [each for _ in range(50) for each in stage.show({1: box_at(0.505)}, still=[1])]

    assert crossings(told) == ["out"]


def test_a_thing_that_is_hidden_while_it_crosses_is_counted_when_it_is_seen_again() -> None:
    stage = Stage.of(lines=GATE)
    stage.walk(1, 0.40, 0.45)
    stage.hide(1, for_s=1.0)

    assert crossings(stage.walk(1, 0.6)) == ["out"]


def test_a_thing_that_is_lost_while_it_crosses_and_found_again_is_counted() -> None:
    stage = Stage.of(lines=GATE)
    stage.walk(1, 0.42, 0.45, 0.48)
    stage.nothing(for_s=0.5)

    assert crossings(stage.walk(2, 0.55, 0.58)) == ["out"]


def random_way(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, bool]:
    """Where a way begins and ends that leads through the line x = 0.5 at any height and angle; whether it is out."""
    meets = np.array([0.5 * WIDTH, random.uniform(0.3, 0.8) * HEIGHT])
    angle = random.uniform(-75, 75) * np.pi / 180
    step = np.array([np.cos(angle), np.sin(angle)])
    is_out = bool(random.random() < 0.5)
    reach = random.uniform(110, 130, 2)
    return (meets - step * reach[0], meets + step * reach[1], True) if is_out else (
        meets + step * reach[0], meets - step * reach[1], False
    )  # fmt: skip


def places(random: np.random.Generator, fps: float, *, least_s: float) -> tuple[np.ndarray, bool]:
    """A thing's place in each frame, (n, 2) pixels: constant speed, irregular frames, jitter of 2 % of its height."""
    start, end, is_out = random_way(random)
    seconds = random.uniform(least_s, 12.0)
    count = max(4, round(seconds * fps))
    along = np.sort((np.arange(count) + random.uniform(-0.2, 0.2, count)) / (count - 1))
    path = start + np.clip(along, 0, 1)[:, None] * (end - start)
    return path + random.normal(0, 1.0, path.shape), is_out


def test_a_thousand_crossings_at_any_speed_angle_and_frame_rate_are_counted_exactly() -> None:
    random = np.random.default_rng(5)
    stage = Stage.of(lines=GATE)
    expected = {"in": 0, "out": 0}

    for number in range(1, 1001):
        fps = random.choice([1, 2, 5, 10, 15, 30])
        path, is_out = places(random, fps, least_s=0.5)
        expected["out" if is_out else "in"] += 1
        for x, y in path:
            stage.show({number: box_at(x / WIDTH, y / HEIGHT, width=20, height=50)}, after_s=1 / fps)
        stage.nothing(for_s=20.0, every_s=10.0)

    assert counts(stage.book) == (expected["in"], expected["out"])
    assert len(crossings(stage.told)) == 1000


def seen(x: float, y: float, random: np.random.Generator) -> Detections:
    box = Box(x - 20, y - 100, x + 20, y)
    return as_detections([[box.x1, box.y1, box.x2, box.y2]], [float(random.uniform(0.55, 0.95))], [0])


def test_crossings_are_exact_behind_the_tracker_too() -> None:
    """Misses of 5 %, and walks slow enough that a tracker can tell one thing from two."""
    random = np.random.default_rng(6)
    tracker, book = Tracker(TrackerSettings(("person",))), RuleBook(Layout(lines=GATE))
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    expected, now_s, sequence = {"in": 0, "out": 0}, 0.0, 0

    def show(detections: Detections) -> None:
        frame = Frame(image, "yard", sequence, round(now_s * 1e9), START + timedelta(seconds=now_s))
        book.update(tracker.update(detections, frame.captured_ns), frame)

    for _ in range(200):
        fps = random.choice([2, 5, 10, 15, 30])
        path, is_out = places(random, fps, least_s=5.0)
        expected["out" if is_out else "in"] += 1
        for x, y in path:
            now_s, sequence = now_s + 1 / fps, sequence + 1
            show(seen(x, y, random) if random.random() > 0.05 else Detections.empty())
        for _ in range(6):
            now_s, sequence = now_s + 2.0, sequence + 1
            show(Detections.empty())

    assert counts(book) == (expected["in"], expected["out"])
