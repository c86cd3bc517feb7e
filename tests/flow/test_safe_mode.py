"""A service that systemd has started once too often: what its subscribers and systemd are told."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from edge.assemble.model import find
from edge.assemble.safe_mode import begin
from edge.core.clock import HandClock
from edge.service.crash_loop import MOST_STARTS
from tests.flow.running import heard_by, run_edge, write_config


@pytest.mark.broker
def test_safe_mode_runs_what_ran_well_and_says_so_in_health_and_to_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    with heard_by(tmp_path) as (port, hear), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        settings = {"device": "gate", "broker": {"host": "127.0.0.1", "port": port}}
        scene = {"source": "synthetic:?seconds=1"}
        config = write_config(tmp_path, settings | {"cameras": {"old": scene}})
        begin(config, HandClock()).ran_well(find("edge-default"))
        write_config(tmp_path, settings | {"cameras": {"new": scene}})
        for _ in range(MOST_STARTS):
            begin(config, HandClock())

        done = run_edge("run", "--config", str(config))
        heard = hear()

    assert done.returncode == 0, done.stderr
    assert "safe mode" in done.stderr
    assert "edge check" in done.stderr
    assert any(topic.startswith("edge/gate/camera/old/") for topic, _ in heard)
    healths = [json.loads(payload) for topic, payload in heard if topic == "edge/gate/health"]
    assert all("safe_mode" in health["reasons"] and health["state"] != "ok" for health in healths)
