"""`edge doctor` as a person and as a script call it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.brokers import free_port
from tests.flow.running import run_edge, write_config


def settings(**broker: object) -> dict[str, object]:
    address = {"host": "127.0.0.1", "port": free_port()}
    return {"device": "gate", "broker": address | broker, "cameras": {"demo": {"source": "synthetic:"}}}


def test_scripts_get_a_list_and_an_exit_code(tmp_path: Path) -> None:
    config = write_config(tmp_path, settings())

    done = run_edge("doctor", "--config", str(config), "--json")

    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1, done.stderr  # nobody listens at the broker's address
    assert all(set(finding) == {"name", "state", "found", "fix"} for finding in findings.values())
    assert findings["broker"]["state"] == "broken"
    assert findings["runtime"]["state"] == findings["camera:demo"]["state"] == "ok"
    assert {"configuration", "secrets", "versions", "accelerator", "clock", "power", "disk", "outbox"} & set(findings)


def test_people_get_the_next_step(tmp_path: Path) -> None:
    done = run_edge("doctor", "--config", str(write_config(tmp_path, settings())))

    told = " ".join(done.stdout.split())  # the table breaks its lines
    assert "nothing listens there" in told
    assert "-> start the broker (`systemctl status mosquitto`)" in told
    assert "1 broken" in told


def test_a_wrong_configuration_is_one_finding_and_the_machine_is_looked_at_all_the_same(tmp_path: Path) -> None:
    config = write_config(tmp_path, settings() | {"devise": "gate"})

    done = run_edge("doctor", "--config", str(config), "--json")

    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert findings["configuration"]["state"] == "broken"
    assert "edge check" in findings["configuration"]["fix"]
    assert "runtime" in findings
    assert "broker" not in findings


def test_open_secrets_and_missing_credentials_are_told_and_none_is_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2")
    (tmp_path / "password").chmod(0o644)
    opened = write_config(tmp_path, settings(username="gate", password={"file": "password"}))
    done = run_edge("doctor", "--config", str(opened), "--json")
    handed = write_config(tmp_path, settings(username="gate", password={"credential": "mqtt"}))
    other = run_edge("doctor", "--config", str(handed), "--json")

    secrets = [next(one for one in json.loads(each.stdout) if one["name"] == "secrets") for each in (done, other)]
    assert [one["state"] for one in secrets] == ["broken", "warning"]
    assert "chmod 600" in secrets[0]["fix"]
    assert "sudo edge doctor" in secrets[1]["fix"]
    assert "hunter2" not in done.stdout + done.stderr
