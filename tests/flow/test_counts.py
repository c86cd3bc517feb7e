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
    # of a state the last value counts: at full speed one may pass before it is sent
    for counted in ("camera/room/count/person", "camera/room/zone/right/person"):
        assert first.payloads(counted)[-1] == "0"
        assert "1" in first.payloads(counted)
    assert [event["rule"]["name"] for event in first.events() if event["rule"]] == ["comes", "comes"]
    lines = [[json.loads(text) for text in run.payloads("camera/room/line/pillar")] for run in (first, second)]
    assert [(each[-1]["in"], each[-1]["out"]) for each in lines] == [(0, 2), (0, 4)]
    assert len({each["since"] for told in lines for each in told}) == 1
