"""Counts, zones and lines through ``edge run`` and a real broker, and across a restart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.flow.running import Run, run_into_broker

pytestmark = [pytest.mark.shared, pytest.mark.broker]


def watch(folder: Path, clip: Path) -> Run:
    room = {
        "source": str(clip),
        "pace": "fast",
        "labels": ["person"],
        "zones": {"right": [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]},
        "lines": {"pillar": {"from": [0.75, 0.0], "to": [0.75, 1.0]}},
        "rules": {"comes": {"when": "enter", "zone": "right", "label": "person"}},
    }
    return run_into_broker(folder, cameras={"room": room}, outbox={"path": str(folder / "state" / "outbox.db")})


def test_counts_are_retained_and_lines_count_on_after_a_restart(shared: Path, tmp_path: Path) -> None:
    clip = shared / "data" / "video" / "person-walk.mp4"
    (tmp_path / "first").mkdir()

    first = watch(tmp_path / "first", clip)
    second = watch(tmp_path / "first", clip)

    assert first.exit_code == second.exit_code == 0, first.stderr + second.stderr
    assert first.payloads("camera/room/count/person") == ["0", "1", "0", "1", "0"]
    assert first.payloads("camera/room/zone/right/person") == ["0", "1", "0", "1", "0"]
    assert [event["rule"]["name"] for event in first.events() if event["rule"]] == ["comes", "comes"]
    lines = [json.loads(text) for run in (first, second) for text in run.payloads("camera/room/line/pillar")]
    assert [(each["in"], each["out"]) for each in lines] == [(0, 0), (0, 1), (0, 2), (0, 2), (0, 3), (0, 4)]
    assert len({each["since"] for each in lines}) == 1
