"""One person after the other: starts and ends beside what a large model saw."""

from __future__ import annotations

import json

import pytest

from edge.core.events import EventType
from edge.core.values import as_detections
from edge.track.lifecycle import LifeCycle
from tests.builders import make_frame
from tests.track.scenes import make_tracker

# A person is in view in frames 63-193 and 228-446 of 450, at 10 frames a second.
COMES_S, LEAVES_S = (6.3, 22.8), (19.3, 44.6)


@pytest.mark.shared
@pytest.mark.parametrize("step", [1, 2, 5])
def test_each_person_is_one_track_and_comes_and_goes_on_time(shared, step):
    recording = json.loads((shared / "data" / "video" / "person-walk.pseudo-gt.json").read_text())
    tracker, life, told = make_tracker(), LifeCycle(), []
    for seen in recording["frames_with_objects"][::step]:
        people = [thing for thing in seen["objects"] if thing["class"] == 0]
        found = as_detections([p["bbox_xyxy"] for p in people], [p["score"] for p in people], [0] * len(people))
        frame = make_frame(sequence=seen["frame"], at_s=seen["frame"] / 10)
        told += life.update(tracker.update(found, frame.captured_ns), frame)
    told += life.finish()

    starts = [o.happened_ns / 1e9 for o in told if o.type == EventType.TRACK_START]
    ends = [o.happened_ns / 1e9 for o in told if o.type == EventType.TRACK_END]

    late_s = 0.5 if step < 5 else 1.0  # the second of two frames
    assert starts == [pytest.approx(time_s + late_s / 2, abs=late_s / 2 + 0.25) for time_s in COMES_S]
    assert ends == [pytest.approx(time_s, abs=0.5) for time_s in LEAVES_S]
