"""From a real clip through ``edge run`` and a real broker to a client nobody here wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flow.running import Run, run_into_broker

pytestmark = [pytest.mark.shared, pytest.mark.broker]

TOLERANCE_S = 0.5
# Frames without a person shorter than this belong to one visit: the pseudo ground truth misses single frames.
GAP_FRAMES = 10


def visits(truth: dict[str, Any], class_id: int) -> list[tuple[float, float]]:
    """When somebody was there, in seconds of the clip, from per-frame objects."""
    frames = [
        entry["frame"]
        for entry in truth["frames_with_objects"]
        if any(item["class"] == class_id for item in entry["objects"])
    ]
    spans: list[list[int]] = []
    for frame in frames:
        if spans and frame - spans[-1][1] <= GAP_FRAMES:
            spans[-1][1] = frame
        else:
            spans.append([frame, frame])
    return [(first / truth["fps"], last / truth["fps"]) for first, last in spans]


@pytest.mark.parametrize("model", ["edge-default", "ssd_mobilenet_v1_coco_uint8.tflite"])
def test_persons_appear_and_leave_when_they_do(model: str, shared: Path, tmp_path: Path) -> None:
    clip = shared / "data" / "video" / "person-walk.mp4"
    truth = json.loads(clip.with_suffix(".pseudo-gt.json").read_text())
    chosen = str(shared / "models" / model) if model.endswith(".tflite") else model

    run = run_into_broker(
        tmp_path, cameras={"room": {"source": str(clip), "pace": "fast", "labels": ["person"]}}, model=chosen
    )

    assert run.exit_code == 0, run.stderr
    expected = visits(truth, class_id=0)
    assert len(expected) == 2
    assert starts_and_ends(run, fps=truth["fps"]) == [
        (pytest.approx(came, abs=TOLERANCE_S), pytest.approx(left, abs=TOLERANCE_S)) for came, left in expected
    ]


def starts_and_ends(run: Run, *, fps: float) -> list[tuple[float, float]]:
    starts = {event["track"]["id"]: event["frame"]["sequence"] / fps for event in run.events("track_start")}
    ends = {event["track"]["id"]: event["frame"]["sequence"] / fps for event in run.events("track_end")}
    assert starts.keys() == ends.keys()
    return [(starts[track], ends[track]) for track in sorted(starts)]
