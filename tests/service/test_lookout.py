"""What becomes of a camera's frames, and what they say about it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from edge.core.errors import Away
from edge.core.events import EventType
from edge.core.glance import Glance, LensFacts
from edge.core.values import FrameFacts, as_detections
from edge.service.condition.sight import SightSettings
from edge.service.condition.trouble import Trouble
from edge.service.lookout import Condition, Lookout, LookoutSettings, Verdict
from edge.service.news import CameraState
from edge.service.tidings import Tiding, Tidings
from tests.builders import make_frame
from tests.fakes import seen_in

CLEAR = LensFacts(brightness=120, dark=0.0, bright=0.0, contrast=0.5, focus=0.4, grain=0.05)
STILL = Glance(0.0, moved=False, asks=False)
ASKS = Glance(0.5, moved=True, asks=True)
SAME = Glance(0.0, moved=False, asks=False, is_same=True, lens=CLEAR)


def frame(number: int, *, fps: float = 10.0, size: tuple[int, int] = (64, 48)) -> FrameFacts:
    return make_frame(sequence=number, at_s=number / fps, size=size).facts


@pytest.fixture
def gated() -> Lookout:
    """Has looked at frame 0 and seen one thing."""
    lookout = Lookout(LookoutSettings(has_gate=True))
    lookout.hear(CameraState.ONLINE)
    assert lookout.judge(frame(0), ASKS) is Verdict.LOOK
    lookout.look_begins()
    lookout.look_ends(seen_in(make_frame(), as_detections([[1, 2, 3, 4]], [0.9], [0])))
    return lookout


def test_while_nothing_moves_what_was_seen_last_is_seen_still(gated: Lookout) -> None:
    assert gated.judge(frame(1), STILL) is Verdict.HOLD

    held = gated.hold(frame(1))

    assert held is not None
    assert (held.frame, held.is_held, len(held.detections), held.times.total) == (frame(1), True, 1, 0.0)
    assert gated.condition == Condition((), 0.5)


def test_what_was_seen_in_a_frame_of_another_size_does_not_hold(gated: Lookout) -> None:
    other = frame(1, size=(48, 64))

    assert gated.hold(other) is None
    assert gated.judge(replace(other, sequence=2), STILL) is Verdict.LOOK


@pytest.mark.parametrize("state", [CameraState.OFFLINE, CameraState.DISABLED, CameraState.ENDED])
def test_nothing_of_before_holds_when_a_camera_comes_back(gated: Lookout, state: CameraState) -> None:
    gated.hear(state)
    gated.hear(CameraState.ONLINE)

    assert gated.judge(frame(100), STILL) is Verdict.LOOK
    assert gated.hold(frame(100)) is None


def test_why_a_camera_went_is_known_until_it_is_back() -> None:
    lookout = Lookout()
    lookout.hear(CameraState.ONLINE)

    lookout.hear(CameraState.OFFLINE, Away.HUNG)
    lookout.forget()
    assert lookout.condition.troubles == ("hung",)

    lookout.hear(CameraState.ONLINE)
    assert lookout.condition.troubles == ()


def test_a_look_that_came_to_nothing_is_made_up_for(gated: Lookout) -> None:
    gated.look_ends(None)

    assert gated.judge(frame(1), STILL) is Verdict.LOOK


def test_without_a_gate_every_frame_is_looked_at() -> None:
    lookout = Lookout()
    for number in range(5):
        assert lookout.judge(frame(number), STILL) is Verdict.LOOK
        lookout.look_begins()
    assert lookout.condition == Condition()


def test_a_frozen_picture_is_not_looked_at_and_the_first_living_one_is() -> None:
    lookout = Lookout(LookoutSettings(SightSettings(frozen_s=2.5), has_gate=True))
    lookout.hear(CameraState.ONLINE)

    verdicts = [lookout.judge(frame(number), SAME) for number in range(40)]

    assert verdicts[-1] is Verdict.FROZEN
    assert lookout.state is CameraState.FROZEN
    assert lookout.condition.troubles == (Trouble.FROZEN,)
    assert lookout.judge(frame(40), STILL) is Verdict.LOOK
    assert lookout.state is CameraState.ONLINE


def test_a_camera_that_shows_little_is_looked_at_all_the_same() -> None:
    lookout = Lookout()
    burnt = replace(ASKS, lens=replace(CLEAR, bright=1.0))

    verdicts = {lookout.judge(frame(number), burnt) for number in range(50)}

    assert verdicts == {Verdict.LOOK}
    assert lookout.state is CameraState.IMPAIRED


def test_restrained_it_looks_at_fewer_frames_and_only_at_those_that_ask() -> None:
    lookout = Lookout()
    lookout.restrain(5.0, has_gate=True)
    verdicts = []
    for number in range(20):
        verdicts.append(lookout.judge(frame(number), STILL))
        if verdicts[-1] is Verdict.LOOK:
            lookout.look_begins()

    assert verdicts.count(Verdict.LOOK) == 1
    assert verdicts.count(Verdict.GOVERNED) == 10
    lookout.restrain(None, has_gate=False)
    assert lookout.judge(frame(20), STILL) is Verdict.LOOK


def test_each_change_of_a_camera_is_told_but_for_the_start_and_what_a_command_did() -> None:
    tidings = Tidings()

    assert tidings.hear(None, CameraState.ONLINE, None, 0) is None
    assert tidings.hear(CameraState.ONLINE, CameraState.IMPAIRED, "covered", 10) == Tiding(
        EventType.CAMERA_IMPAIRED, "covered"
    )
    assert tidings.hear(CameraState.IMPAIRED, CameraState.ONLINE, None, 20) == Tiding(EventType.CAMERA_ONLINE)
    assert tidings.hear(CameraState.ONLINE, CameraState.DISABLED, None, 30) is None
    assert tidings.hear(CameraState.DISABLED, CameraState.ONLINE, None, 40) is None


def test_a_flapping_camera_is_told_once_and_again_when_it_has_come_to_rest() -> None:
    tidings, told = Tidings(), []
    states = [CameraState.ONLINE, CameraState.OFFLINE] * 60
    for i, (before, state) in enumerate(itertools.pairwise(states)):
        told.append(tidings.hear(before, state, None, i * 0.5))
    told.append(tidings.hear(CameraState.OFFLINE, CameraState.ONLINE, None, 60))

    events = [each for each in told if each is not None]
    assert [each.type for each in events] == [EventType.CAMERA_OFFLINE, EventType.CAMERA_ONLINE] * 2 + [
        EventType.CAMERA_OFFLINE
    ]
    assert events[-1].reason == "flapping"
    assert tidings.is_flapping
    assert tidings.look(100) is None
    assert tidings.look(121) == Tiding(EventType.CAMERA_ONLINE)
    assert not tidings.is_flapping
    assert tidings.look(122) is None


def test_a_camera_that_flapped_and_stayed_away_was_told_so() -> None:
    tidings = Tidings()
    for i in range(20):
        tidings.hear(CameraState.OFFLINE, CameraState.ONLINE, None, i)
        tidings.hear(CameraState.ONLINE, CameraState.OFFLINE, None, i + 0.5)

    assert tidings.look(100) is None
    assert not tidings.is_flapping


def test_a_gate_is_one_whoever_has_switched_it_on() -> None:
    lookout = Lookout(LookoutSettings(has_gate=False))
    assert not lookout.is_gated

    lookout.restrain(None, has_gate=True)

    assert lookout.is_gated
    assert Lookout(LookoutSettings(has_gate=True)).is_gated
