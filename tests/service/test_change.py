"""Cameras and models that are exchanged while others go on, in real processes with parts to play."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import pytest

from edge.core.errors import ModelCrashError
from edge.service.brains import Brains
from edge.service.capture import Capture, Patience
from edge.service.inference import Inference
from edge.service.watch import Cast
from tests.service import acting_capture, acting_infer
from tests.service.test_arbiter import READING_S, Stage, play

__all__ = ["play"]  # a fixture
MODEL = acting_infer.Part()
QUICK = acting_capture.Part(every_s=0.02)


def cast(cameras: Mapping[str, acting_capture.Part], *, is_whole: bool = False, **looks: bytes) -> Cast:
    captures = [
        Capture(
            name,
            acting_capture.__name__,
            msgspec.msgpack.encode(part),
            looks.get(name, b""),
            is_whole=is_whole,
            patience=Patience(reading_s=READING_S),
        )
        for name, part in cameras.items()
    ]
    return Cast(captures, {})


def brains_of(stage: Stage, part: acting_infer.Part = MODEL) -> Callable[[Mapping[str, int]], Brains]:
    return acting_infer.alone(Inference(acting_infer.__name__, msgspec.msgpack.encode(part)), stage.clock)


def pids(stage: Stage) -> dict[str, int | None]:
    return {name: eye.pid for name, eye in stage.arbiter.eyes.items()}


def test_a_recording_loses_no_frame_while_others_come_and_go_and_the_model_is_exchanged(
    play: Callable[..., Stage],
) -> None:
    yard = {"yard": acting_capture.Part(count=400, every_s=0.0)}
    stage = play(yard | {"shed": QUICK}, is_whole=True)
    stage.more_than(20)
    before = pids(stage)

    stage.arbiter.rehearse(("yard", "gate"), brains_of(stage), is_tried=True)
    stage.until(stage.arbiter.is_rehearsed)
    renewed = stage.arbiter.change(cast(yard | {"gate": QUICK}, is_whole=True))
    stage.until(lambda: stage.states()[-1:] == ["ended"] and bool(stage.numbers("gate")))

    assert renewed == {"shed"}
    assert stage.numbers("yard") == list(range(400))
    assert before["yard"] is not None
    assert stage.states("gate") == ["online"]
    assert set(stage.arbiter.eyes) == {"yard", "gate"}


def test_a_camera_with_another_source_begins_anew_and_nothing_of_the_old_one_is_seen(
    play: Callable[..., Stage],
) -> None:
    stage = play({"yard": QUICK, "shed": QUICK})
    stage.until(lambda: len(stage.numbers("yard")) > 10 and len(stage.numbers("shed")) > 10)
    before, shed = pids(stage), len(stage.numbers("shed"))

    renewed = stage.arbiter.change(cast({"yard": acting_capture.Part(every_s=0.03), "shed": QUICK}))
    seen = len(stage.numbers("yard"))
    stage.until(lambda: len(stage.numbers("yard")) > seen + 3)

    assert renewed == {"yard"}
    # not 0 for certain: the newest frame wins, also of the first ones
    assert stage.numbers("yard")[seen] < stage.numbers("yard")[seen - 1]
    assert (pids(stage)["shed"], pids(stage)["yard"] != before["yard"]) == (before["shed"], True)
    assert len(stage.numbers("shed")) > shed
    assert stage.states("yard") == ["online", "online"]


def test_a_recording_that_has_ended_begins_anew_with_another_source(play: Callable[..., Stage]) -> None:
    stage = play({"yard": acting_capture.Part(count=3)}, is_whole=True)
    stage.until(lambda: stage.states() == ["online", "ended"])

    stage.arbiter.change(cast({"yard": acting_capture.Part(count=5)}, is_whole=True))
    stage.until(lambda: stage.states() == ["online", "ended", "online", "ended"])

    assert stage.numbers() == [0, 1, 2, 0, 1, 2, 3, 4]


def test_pictures_otherwise_looked_at_need_no_other_process(play: Callable[..., Stage]) -> None:
    stage = play({"yard": QUICK})
    stage.more_than(3)
    before = pids(stage)

    renewed = stage.arbiter.change(cast({"yard": QUICK}, yard=b"otherwise"))
    stage.more_than(10)

    assert renewed == frozenset()
    assert pids(stage) == before
    assert stage.states() == ["online"]


def test_a_model_that_does_not_run_never_takes_over(play: Callable[..., Stage]) -> None:
    stage = play({"yard": QUICK})
    stage.more_than(3)
    before = stage.arbiter.brain

    stage.arbiter.rehearse(("yard",), brains_of(stage, acting_infer.Part(mishap="die at start")), is_tried=True)
    with pytest.raises(ModelCrashError):
        stage.until(stage.arbiter.is_rehearsed)
    stage.arbiter.abandon()
    stage.more_than(10)

    assert stage.arbiter.brain is before
    assert stage.states() == ["online"]


def test_an_accelerator_is_let_go_of_before_the_next_process_asks_for_it(play: Callable[..., Stage]) -> None:
    stage = play({"yard": QUICK})
    stage.more_than(3)
    before = stage.arbiter.brain.pid

    stage.arbiter.rehearse(("yard",), brains_of(stage), is_tried=False)
    stage.until(stage.arbiter.is_rehearsed)
    assert stage.arbiter.brain.pid == before  # nobody else has begun
    stage.arbiter.change(cast({"yard": QUICK}))
    stage.more_than(5)

    assert stage.arbiter.brain.pid not in (None, before)


def test_a_model_that_finds_the_same_takes_over_without_a_frame_s_turn_lost(play: Callable[..., Stage]) -> None:
    recording = {"yard": acting_capture.Part(count=2000, every_s=0.001)}
    stage = play(recording, is_whole=True)
    stage.more_than(20)
    before = pids(stage), stage.arbiter.brain.pid

    stage.arbiter.rehearse(("yard",), brains_of(stage), is_tried=True)
    stage.until(stage.arbiter.is_rehearsed)
    renewed = stage.arbiter.change(cast(recording, is_whole=True, yard=b"made small for another"), is_alike=True)
    after = pids(stage), stage.arbiter.brain.pid
    stage.until(lambda: stage.states()[-1:] == ["ended"])

    assert renewed == frozenset()
    assert stage.numbers() == list(range(2000))
    assert (after[0] == before[0], after[1] != before[1]) == (True, True)
    assert not stage.arbiter.drops
