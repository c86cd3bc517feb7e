"""From a real clip through ``edge run`` and a real broker to a client nobody here wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.bench.visits import told_visits, true_visits, watch

pytestmark = [pytest.mark.shared, pytest.mark.broker]

TOLERANCE_S = 0.5


@pytest.mark.parametrize(
    "model", ["edge-default", pytest.param("ssd_mobilenet_v1_coco_uint8.tflite", marks=pytest.mark.slow)]
)
def test_persons_appear_and_leave_when_they_do(model: str, shared: Path, tmp_path: Path) -> None:
    clip = shared / "data" / "video" / "person-walk.mp4"
    truth = json.loads(clip.with_suffix(".pseudo-gt.json").read_text())
    chosen = str(shared / "models" / model) if model.endswith(".tflite") else model

    run = watch(clip, model=chosen, label="person", folder=tmp_path)

    assert run.exit_code == 0, run.stderr
    expected = true_visits(truth, class_id=0)
    assert len(expected) == 2
    assert told_visits(run, fps=truth["fps"]) == [
        (pytest.approx(came, abs=TOLERANCE_S), pytest.approx(left, abs=TOLERANCE_S)) for came, left in expected
    ]
