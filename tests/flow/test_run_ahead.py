"""``edge run`` with the model running ahead of the telling: the boxes told for a frame are that frame's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.flow.running import Run, run_into_broker

pytestmark = pytest.mark.broker

FRAMES = 20


def boxes_by_frame(run: Run) -> dict[tuple[str, int], Any]:
    found = [json.loads(payload) for payload in run.payloads("/detections")]
    return {
        (one["camera"], one["frame"]["sequence"]): [(each["label"], each["box"]) for each in one["detections"]]
        for one in found
    }


@pytest.mark.parametrize("tiles", ["1x1", "2x2"])
def test_running_ahead_tells_the_same_boxes_for_the_same_frames(tiles: str, tmp_path: Path) -> None:
    camera = {
        "source": f"synthetic:?seconds={FRAMES / 10:g}&fps=10",
        "pace": "fast",
        "publish_detections": True,
        "tiles": tiles,
        "thresholds": {"default": 0.05},
    }
    runs = {}
    for name, threads in (("ahead", 1), ("in turn", max(2, len(os.sched_getaffinity(0))))):
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        runs[name] = run_into_broker(folder, cameras={"yard": camera, "gate": camera}, threads=threads)

    for run in runs.values():
        assert run.exit_code == 0, run.stderr
    ahead, in_turn = boxes_by_frame(runs["ahead"]), boxes_by_frame(runs["in turn"])
    both = ahead.keys() & in_turn.keys()
    assert len(both) >= FRAMES  # of two cameras; boxes go with QoS 0, and a full lane may drop some
    assert any(ahead[frame] for frame in both)
    assert {frame: ahead[frame] for frame in both} == {frame: in_turn[frame] for frame in both}
