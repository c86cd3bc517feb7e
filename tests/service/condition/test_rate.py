"""Too few frames, too many, and a camera that comes and goes."""

from __future__ import annotations

import pytest

from edge.service.condition.flapping import Flapping
from edge.service.condition.hold import Hold
from edge.service.condition.rate import RateJudge
from edge.service.condition.sight import Sight, SightSettings
from edge.service.condition.trouble import Trouble


class Camera:
    """Gives frames to a judge."""

    def __init__(self, asked: float | None = None) -> None:
        self.judge = RateJudge(asked)
        self.now_s = 0.0

    def give(self, fps: float, seconds: float) -> set[Trouble]:
        """All that was told in the meantime."""
        told: set[Trouble] = set()
        for _ in range(round(fps * seconds)):
            self.now_s += 1 / fps
            told |= self.judge.frame(self.now_s)
        return told

    def pause(self, seconds: float) -> frozenset[Trouble]:
        found: frozenset[Trouble] = frozenset()
        for _ in range(round(seconds * 5)):
            self.now_s += 0.2
            found = self.judge.look(self.now_s)
        return found


@pytest.mark.parametrize("fps", [2.0, 10.0, 30.0])
def test_a_rate_that_breaks_down_is_told_and_healed(fps: float) -> None:
    camera = Camera()
    assert camera.give(fps, 60) == set()

    assert camera.give(fps / 10, 60) == {Trouble.SLOW}
    camera.give(fps, 10)
    assert camera.give(fps, 10) == set()


def test_a_burst_is_told() -> None:
    camera = Camera()
    camera.give(10, 60)

    assert camera.give(120, 20) == {Trouble.BURST}


def test_a_webcam_that_exposes_four_times_as_long_at_night_is_fine() -> None:
    camera = Camera()
    camera.give(30, 60)

    assert camera.give(7.5, 120) == set()


def test_half_of_what_was_asked_for_is_too_little_from_the_start() -> None:
    assert Camera(asked=10.0).give(4.0, 20) == {Trouble.SLOW}
    assert Camera(asked=10.0).give(6.0, 20) == set()


def test_a_second_without_frames_is_not_slow() -> None:
    camera = Camera()
    camera.give(10, 60)

    assert camera.pause(2) == frozenset()
    assert camera.give(10, 30) == set()


def test_a_camera_that_was_away_begins_anew() -> None:
    camera = Camera()
    camera.give(10, 60)
    camera.judge.restart()
    camera.now_s += 600

    assert camera.give(10, 30) == set()


def test_two_comings_and_goings_are_news_and_the_rest_is_one() -> None:
    flapping = Flapping()

    told = [flapping.change(i * 0.5) for i in range(200)]

    assert told == [True] * 4 + [False] * 196
    assert flapping.is_on
    assert not flapping.look(130)
    assert flapping.look(99.5 + 60)
    assert not flapping.is_on
    assert flapping.change(300)


def test_a_camera_that_is_lost_once_a_minute_is_told_each_time() -> None:
    flapping = Flapping()

    assert all(flapping.change(at_s) for minute in range(30) for at_s in (minute * 60, minute * 60 + 5))


def test_a_yes_needs_time_and_so_does_a_no() -> None:
    hold = Hold(3.0, 1.0)

    assert [hold.see(True, at_s) for at_s in (0, 1, 2, 3)] == [False, False, False, True]
    assert [hold.see(False, at_s) for at_s in (3.5, 4.0, 4.5)] == [True, True, False]
    assert not hold.see(True, 5.0)
    assert not hold.see(False, 6.0)
    assert not hold.see(True, 8.0), "the time counts from the last no"


def test_a_sight_is_slow_while_no_frames_come() -> None:
    sight = Sight(SightSettings(fps=10.0))
    for i in range(100):
        sight.pass_time(i * 0.2)

    assert sight.troubles == (Trouble.SLOW,)
    sight.lose()
    assert sight.troubles == ()
