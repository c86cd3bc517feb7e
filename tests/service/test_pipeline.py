"""One frame in, messages out: with the real tracker, and a detector that sees what it is told."""

from __future__ import annotations

import json

from edge.core.clock import HandClock
from edge.core.events import Event, Standing
from edge.core.values import Detections, Frame, Message, as_detections
from edge.service.identity import Identities
from edge.service.pipeline import Pipeline, Telling
from edge.track.attention import Attention
from edge.track.rulebook import Layout, RuleBook
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker
from edge.track.wanted import Wanted
from tests.builders import make_frame
from tests.fakes import FakeDetector

WIDE, NARROW = (640, 480), (320, 240)


def _box(event: Event) -> list[float] | None:
    track, frame = event.occurrence.track, event.frame
    if track is None or frame is None:
        return None
    return [round(edge, 2) for edge in track.box.normalised(width=frame.width, height=frame.height)]


def _line(event: Event) -> Message:
    track = event.occurrence.track
    told = {"type": event.occurrence.type, "id": track and track.track_id, "box": _box(event)}
    return Message("event", json.dumps(told).encode(), qos=1)


def _count(standing: Standing) -> Message:
    return Message("count", str(standing).encode(), retain=True)


def _someone_in_the_lower_right_quarter(frame: Frame) -> Detections:
    return as_detections([[frame.width / 2, frame.height / 2, frame.width, frame.height]], [0.9], [0])


def _pipeline() -> Pipeline:
    return Pipeline(
        camera="yard",
        wanted=Attention(Wanted(("person",)), labels=("person",)),
        tracker=Tracker(TrackerSettings(("person",))),
        rules=RuleBook(Layout()),
        telling=Telling(_line, _count),
        identities=Identities("gate", "EPOCH"),
        clock=HandClock(),
    )


def _watch(pipeline: Pipeline, numbers: range, *, size: tuple[int, int] = WIDE) -> list[Message]:
    detector = FakeDetector(_someone_in_the_lower_right_quarter)
    frames = [make_frame(sequence=number, at_s=number / 10, size=size) for number in numbers]
    return [message for frame in frames for message in pipeline.process(detector.see(frame))]


def _told(messages: list[Message]) -> list[tuple[str, int]]:
    told = [json.loads(message.payload) for message in messages if message.topic == "event"]
    return [(each["type"], each["id"]) for each in told]


def test_who_was_there_before_a_camera_was_lost_is_somebody_new_when_it_is_back() -> None:
    pipeline = _pipeline()

    messages = _watch(pipeline, range(5)) + pipeline.finish() + _watch(pipeline, range(10, 15))

    assert _told(messages) == [("track_start", 1), ("track_end", 1), ("track_start", 2)]


def test_where_frames_change_their_size_tracks_end_and_every_box_fits_its_own_frame() -> None:
    pipeline = _pipeline()

    messages = _watch(pipeline, range(5)) + _watch(pipeline, range(5, 10), size=NARROW) + pipeline.finish()

    assert _told(messages) == [("track_start", 1), ("track_end", 1), ("track_start", 2), ("track_end", 2)]
    events = [json.loads(message.payload) for message in messages if message.topic == "event"]
    assert {tuple(event["box"]) for event in events} == {(0.5, 0.5, 1.0, 1.0)}
