"""``python -m tools.faults.home_assistant PYTHON``: edge against a real Home Assistant and a real mosquitto.

PYTHON is the interpreter of an environment of its own with ``pip install homeassistant paho-mqtt==2.1.0 numpy``
(Home Assistant pins its requirements, so it can't share ours). Prints what was tried and what came of it; exit code 1
where something is not as docs/home-assistant.md says.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.demonstration.broker import local_broker

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
_ZONE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]


class HomeAssistant:
    """The other process."""

    def __init__(self, python: str, port: int, folder: Path) -> None:
        command = [python, str(ROOT / "tools" / "faults" / "home_assistant_core.py"), str(port), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self._read()["version"]

    def ask(self, *words: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._read()

    def states(self) -> dict[str, dict[str, Any]]:
        return {each["id"]: each for each in self.ask("states")["states"] if each["unique_id"]}

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write('["quit"]\n')
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise SystemExit("Home Assistant ended; its reason is above")


class Trial:
    """Counts what is not as it should be."""

    def __init__(self) -> None:
        self.failed = 0

    def tell(self, what: str, good: bool, found: object = "") -> None:
        self.failed += not good
        print(f"{'ok    ' if good else 'WRONG '} {what}{'' if good else f': {found}'}", flush=True)

    def wait(self, what: str, is_so: Callable[[], bool], found: Callable[[], object] = lambda: "") -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if is_so():
                self.tell(what, True)
                return
            time.sleep(0.5)
        self.tell(what, False, found())


def main(python: str) -> int:
    trial = Trial()
    with tempfile.TemporaryDirectory() as name, local_broker(Path(name)) as port:
        folder = Path(name)
        home = HomeAssistant(python, port, folder / "home")
        print(f"Home Assistant {home.version}")
        try:
            with edge(folder, port, cameras=("yard", "shed")):
                _entities(trial, home, port)
                _controls(trial, home)
                _alert(trial, home, port)
                _picture(trial, home, port)
            _gone(trial, home)
            with edge(folder, port, cameras=("yard",)):
                _removed(trial, home)
            with edge(folder, port, cameras=("yard",), shown=False):
                trial.wait("switched off, the whole device is taken back", lambda: not home.states(), home.states)
            complaints = home.ask("states")["complaints"]
            trial.tell("Home Assistant had nothing to complain about", not complaints, complaints)
        finally:
            home.stop()
    return 1 if trial.failed else 0


def _entities(trial: Trial, home: HomeAssistant, port: int) -> None:
    trial.wait("entities appear", lambda: "binary_sensor.gate_yard_person_occupancy" in home.states(), home.states)
    payload = _retained(port, "homeassistant/device/gate/config")
    faults = home.ask("check", payload)["faults"]
    trial.tell("the message fits Home Assistant's own schemas", not faults, faults)
    states = home.states()
    wanted = {each["default_entity_id"] for each in payload["components"].values()}
    trial.tell(
        f"all {len(wanted)} entities are there, by the ids we asked for",
        wanted == states.keys(),
        wanted ^ states.keys(),
    )
    silent = (
        "event.",
        "button.",
        "sensor.gate_temperature",
        "image.",
    )  # nothing happened yet; no thermometer on many machines
    trial.wait(
        "every entity has a state",
        lambda: (
            not [
                k
                for k, v in home.states().items()
                if v["state"] in ("unknown", "unavailable") and not k.startswith(silent)
            ]
        ),
        lambda: {k: v["state"] for k, v in home.states().items()},
    )


def _controls(trial: Trial, home: HomeAssistant) -> None:
    home.ask("call", "switch", "turn_off", {"entity_id": "switch.gate_yard_enabled"})
    trial.wait("the switch turns a camera off", lambda: home.states()["switch.gate_yard_enabled"]["state"] == "off")
    trial.wait(
        "what the camera sees is unavailable then, its switch is not",
        lambda: home.states()["sensor.gate_yard_person_count"]["state"] == "unavailable",
    )
    word = home.states()["binary_sensor.gate_yard_connectivity"]
    trial.tell("the connection says disabled", word["attributes"].get("status") == "disabled", word)
    home.ask("call", "switch", "turn_on", {"entity_id": "switch.gate_yard_enabled"})
    trial.wait("the switch turns it on again", lambda: home.states()["sensor.gate_yard_person_count"]["state"] == "0")
    data = {"entity_id": "number.gate_yard_person_threshold", "value": 0.71}
    home.ask("call", "number", "set_value", data)
    trial.wait(
        "the number changes a threshold, and shows what the device says",
        lambda: home.states()["number.gate_yard_person_threshold"]["state"] == "0.71",
        lambda: home.states()["number.gate_yard_person_threshold"],
    )
    home.ask("call", "button", "press", {"entity_id": "button.gate_self_test"})


def _alert(trial: Trial, home: HomeAssistant, port: int) -> None:
    entity = "event.gate_yard_alerts"
    before = home.states()[entity]["state"]
    for change, fires in (("detection", False), ("replayed", False), ("alert", True)):
        event = _event(severity="detection" if change == "detection" else "alert", replayed=change == "replayed")
        _publish(port, "edge/gate/camera/yard/event", event)
        if fires:
            trial.wait(
                "an alert fires", lambda: home.states()[entity]["state"] != before, lambda: home.states()[entity]
            )
        else:
            time.sleep(1)
            trial.tell(
                f"an event that is {change} does not fire",
                home.states()[entity]["state"] == before,
                home.states()[entity],
            )
    told = home.states()[entity]["attributes"]
    good = (
        told.get("event_type") == "zone_enter" and told.get("rule") == "in-drive" and told["why"][0]["threshold"] == 0.6
    )
    trial.tell("it says its type, its rule and why", good, told)


def _picture(trial: Trial, home: HomeAssistant, port: int) -> None:
    _publish(port, "edge/gate/camera/yard/snapshot/person", "not looked at by Home Assistant until somebody shows it")
    trial.wait(
        "a picture that has come is shown with its time",
        lambda: home.states()["image.gate_yard_person_snapshot"]["state"] not in ("unknown", "unavailable"),
        lambda: home.states()["image.gate_yard_person_snapshot"],
    )


def _gone(trial: Trial, home: HomeAssistant) -> None:
    trial.wait(
        "a device that has stopped is unavailable",
        lambda: home.states()["sensor.gate_yard_person_count"]["state"] == "unavailable",
    )


def _removed(trial: Trial, home: HomeAssistant) -> None:
    trial.wait(
        "a removed camera's entities are gone",
        lambda: not [key for key in home.states() if "shed" in key],
        lambda: [key for key in home.states() if "shed" in key],
    )
    kept = home.states()["number.gate_yard_person_threshold"]["state"]
    trial.wait(
        "the other camera's stay", lambda: home.states()["sensor.gate_yard_person_count"]["state"] == "0", home.states
    )
    trial.tell("what a command changed holds after the restart", kept == "0.71", kept)
    time.sleep(8)  # the second word


@contextlib.contextmanager
def edge(folder: Path, port: int, *, cameras: tuple[str, ...], shown: bool = True) -> Iterator[None]:
    """``edge run`` with made-up scenes."""
    settings = {
        "device": "gate",
        "broker": {"host": "127.0.0.1", "port": port},
        "cameras": {name: _camera() for name in cameras},
        "home_assistant": {"enabled": shown},
        "commands": {"enabled": True},
        "health": {"interval_seconds": 2},
        "outbox": {"path": str(folder / "state" / "outbox.db")},
    }
    config = folder / "edge.yaml"
    config.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "edge", "run", "--config", str(config)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (folder / "edge.log").open("ab") as log:
        process = subprocess.Popen(command, stderr=log, cwd=ROOT, env=environment)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def _camera() -> dict[str, Any]:
    return {
        "source": "synthetic:",
        "fps": 5,
        "labels": ["person"],
        "thresholds": {"person": 0.6},
        "zones": {"drive": _ZONE},
        "lines": {"gate-line": {"from": [0.5, 0.0], "to": [0.5, 1.0]}},
        "rules": {"in-drive": {"when": "enter", "label": "person", "zone": "drive"}},
        "snapshots": {"enabled": True},
    }


def _event(*, severity: str, replayed: bool) -> str:
    why = [{"condition": "score", "value": 0.83, "threshold": 0.6}]
    wall_ms = round(time.time() * 1000) - (3_600_000 if replayed else 0)
    event = {
        **{"schema": 1, "device": "gate", "epoch": "E", "seq": 1, "type": "zone_enter", "camera": "yard"},
        **{"label": "person", "score": 0.83, "box": [0, 0, 1, 1], "track": {"id": 1}, "zones": ["drive"], "line": None},
        "rule": {"name": "in-drive", "severity": severity, "why": why},
        "time": {"wall_ms": wall_ms},
        "replayed": replayed,
    }
    return json.dumps(event)


def _retained(port: int, topic: str) -> dict[str, Any]:
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-C", "1", "-W", "10"]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def _publish(port: int, topic: str, payload: str) -> None:
    subprocess.run(
        ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", topic, "-m", payload], check=True
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
