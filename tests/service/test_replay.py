"""A replay's clock is the recording's."""

from __future__ import annotations

import pytest

from edge.core.clock import HandClock
from edge.core.errors import RecordingError
from edge.core.events import EventType as Type
from edge.core.events import Occurrence, Standing
from edge.core.values import Frame, Message, Track
from edge.service.identity import Identities, replay_epoch
from edge.service.pipeline import Pipeline, Telling
from edge.service.replay import Replay
from tests.fakes import FakeDetector, FakeSource, frames_of
from tests.service.test_runner import AT, Everything, NoTracks


class EveryFrame:
    """Says something about each frame, and at the end."""

    def update(self, tracks: tuple[Track, ...], frame: Frame) -> list[Occurrence]:
        return [Occurrence(Type.TRACK_START, frame.captured_ns, AT, frame.sequence)]

    def impair(self, *, is_impaired: bool) -> None:
        pass

    def finish(self) -> list[Occurrence]:
        return [Occurrence(Type.TRACK_END, 0, AT, 0)]

    def changes(self) -> list[Standing]:
        return []


def replay_of(source: FakeSource) -> tuple[Replay, list[int]]:
    clock, seen_at = HandClock(), list[int]()

    def tell(event: object) -> Message:
        seen_at.append(clock.monotonic_ns())
        return Message("event", b"", qos=1)

    pipeline = Pipeline(
        camera="yard",
        wanted=Everything(),
        tracker=NoTracks(),
        rules=EveryFrame(),
        telling=Telling(tell, lambda standing: Message("standing", b"", retain=True)),
        identities=Identities("gate", "EPOCH"),
        clock=clock,
    )
    return Replay(source, FakeDetector().see, pipeline, clock), seen_at


def test_each_frame_is_looked_at_when_it_was_captured() -> None:
    source = FakeSource([*frames_of(4, fps=10.0), None])
    replay, seen_at = replay_of(source)

    messages = list(replay.messages())

    assert seen_at == [0, 100_000_000, 200_000_000, 300_000_000, 300_000_000]
    assert (len(messages), replay.frames, source.closed) == (5, 4, 1)


def test_a_recording_that_breaks_off_is_closed_and_told() -> None:
    source = FakeSource([*frames_of(2), RecordingError("clip.mp4: damaged")])
    replay, _ = replay_of(source)

    with pytest.raises(RecordingError):
        list(replay.messages())

    assert source.closed == 1


def test_the_epoch_of_a_replay_is_that_of_the_recording() -> None:
    clock = HandClock()

    assert replay_epoch(clock, b"0123456789") == replay_epoch(clock, b"0123456789 and more")
    assert replay_epoch(clock, b"0123456789") != replay_epoch(clock, b"9876543210")
    assert len(replay_epoch(clock, b"0123456789")) == 26
