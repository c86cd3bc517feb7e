"""With the motion gate, a clip tells the same story for a quarter of the work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.flow.running import Run, run_into_broker

pytestmark = [pytest.mark.shared, pytest.mark.broker]


def watch(clip: Path, folder: Path, *, is_gated: bool) -> Run:
    folder.mkdir()
    camera = {"source": str(clip), "pace": "fast", "labels": ["person"], "publish_detections": True}
    return run_into_broker(folder, cameras={"room": camera | {"motion_gate": {"enabled": is_gated}}})


def story(run: Run) -> list[tuple[str, int]]:
    """Who came and went, and in which frame."""
    return [(event["type"], event["frame"]["sequence"]) for event in run.events()]


def test_a_gated_clip_has_the_same_events_and_counts(shared: Path, tmp_path: Path) -> None:
    clip = shared / "data" / "video" / "person-walk.mp4"

    every, gated = (watch(clip, tmp_path / str(is_gated), is_gated=is_gated) for is_gated in (False, True))

    assert (every.exit_code, gated.exit_code) == (0, 0), every.stderr + gated.stderr
    assert story(gated) == story(every)
    assert gated.payloads("/count/person") == every.payloads("/count/person")
    assert len(every.payloads("/detections")) == 450
    assert len(gated.payloads("/detections")) <= 450 / 4, "each look is told, what is held is not"
    health = json.loads(gated.payloads("/health")[-1])
    assert health["cameras"][0]["spared"] >= 0.75
    assert json.loads(every.payloads("/health")[-1])["cameras"][0]["spared"] is None
