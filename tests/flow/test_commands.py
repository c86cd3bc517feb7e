"""A running program is told things over a real broker, and remembers them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edge.service.commands.audit import broken_links
from tests.brokers import PATIENCE_S, Brokers, Mosquitto, Received, Subscriber, brokers_in
from tests.flow.running import CHECKOUT, run_edge, write_config

pytestmark = pytest.mark.broker
DISCOVERY = "homeassistant/device/gate/config"


class Running:
    """``edge run`` with one made-up camera, told and heard by mosquitto's own programs."""

    def __init__(self, folder: Path, brokers: Brokers, broker: Mosquitto, *, cameras: tuple[str, ...]) -> None:
        self._brokers, self._broker = brokers, broker
        self.heard: Subscriber = brokers.subscribe(broker, "#", "-R")
        scene = {"source": "synthetic:", "fps": 10, "labels": ["person"]}
        settings = {
            "device": "gate",
            "broker": {"host": "127.0.0.1", "port": broker.port},
            "cameras": dict.fromkeys(cameras, scene),
            "home_assistant": {"enabled": True},
            "commands": {"enabled": True},
            "outbox": {"path": "state/outbox.db"},
        }
        config = write_config(folder, settings)
        command = [sys.executable, "-m", "edge", "run", "--config", str(config)]
        self._process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL)

    def tell(self, name: str, payload: str, *options: str) -> None:
        self._brokers.publish(self._broker, f"edge/gate/command/{name}", payload, *options)

    def ask(self, name: str, **request: object) -> dict[str, Any]:
        self.tell(name, json.dumps({"transaction": "t1", **request}))
        answer: dict[str, Any] = self.heard.next(f"edge/gate/response/{name}").json
        return answer

    def kept(self, topic: str) -> Received:
        """What the broker retains now."""
        return self._brokers.subscribe(self._broker, topic).next()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(PATIENCE_S) == 0


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    yield from brokers_in(tmp_path)


@pytest.fixture
def start(tmp_path: Path, brokers: Brokers) -> Iterator[Callable[..., Running]]:
    broker = brokers.start()
    started: list[Running] = []

    def begin(*cameras: str) -> Running:
        if started:
            started[-1].stop()
        started.append(Running(tmp_path, brokers, broker, cameras=cameras))
        return started[-1]

    yield begin
    started[-1].stop()


def test_a_camera_is_switched_off_stays_so_over_a_restart_and_is_switched_on(start: Callable[..., Running]) -> None:
    first = start("yard")
    first.heard.next("edge/gate/camera/yard/status", "online")
    answer = first.ask("camera", camera="yard", enabled=False)
    first.heard.next("edge/gate/camera/yard/status", "disabled")

    second = start("yard")
    info = second.heard.next("edge/gate/info").json
    second.heard.next("edge/gate/camera/yard/status", "disabled")
    second.ask("camera", camera="yard", enabled=True)
    second.heard.next("edge/gate/camera/yard/status", "online")

    assert answer["status"] == "ok"
    assert info["settings"]["cameras"]["yard"]["enabled"] is False
    assert info["settings"]["cameras"]["yard"]["changed"] == ["enabled"]


def test_thresholds_a_self_test_and_what_is_not_there_are_answered(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    running = start("yard")
    running.heard.next("edge/gate/camera/yard/status", "online")

    threshold = running.ask("threshold", camera="yard", label="person", threshold=0.2)
    tested = running.ask("self-test")
    info = running.kept("edge/gate/info").json
    replay = running.ask("replay", epoch="E", **{"from": 1, "to": 2})
    wrong = running.ask("threshold", camera="yard", label="zebra", threshold=0.2)

    assert threshold["status"] == tested["status"] == "ok"
    assert info["settings"]["cameras"]["yard"]["thresholds"] == {"person": 0.2}
    assert tested["inference_ms"] > 0
    assert (replay["status"], replay["held"], replay["missing"]) == ("ok", [], [[1, 2]])
    assert wrong["status"] == "error"
    assert broken_links((tmp_path / "state" / "commands.jsonl").read_bytes().splitlines()) == []


def test_retained_and_oversized_commands_do_nothing_and_a_flood_is_limited(start: Callable[..., Running]) -> None:
    running = start("yard")
    running.heard.next("edge/gate/camera/yard/status", "online")
    off = json.dumps({"transaction": "t", "camera": "yard", "enabled": False})

    running.tell("camera", off, "-r")
    running.tell("camera", off + " " * 5000)
    tested = running.ask("self-test")
    assert tested["cameras"] == {"yard": "online"}

    running.tell("self-test", '{"transaction": "f"}', "--repeat", "60")
    answers = [running.heard.next("edge/gate/response/self-test").json for _ in range(8)]
    assert "error" in [answer["status"] for answer in answers]


def test_a_removed_camera_leaves_home_assistant(start: Callable[..., Running]) -> None:
    both = start("yard", "shed").heard.next(DISCOVERY)
    second = start("yard")

    first_word = second.heard.next(DISCOVERY).json["components"]
    second_word = second.heard.next(DISCOVERY).json["components"]

    schema = json.loads((CHECKOUT / "docs" / "schema" / "discovery.json").read_text())
    Draft202012Validator(schema).validate(both.json)
    assert (both.qos, "shed_person_count" in both.json["components"]) == (1, True)
    assert first_word["shed_person_count"] == {"platform": "sensor"}
    assert "shed_person_count" not in second_word
    assert "unique_id" in second_word["yard_person_count"]


def test_commands_without_a_place_to_write_them_down_do_not_start(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    settings = {
        "cameras": {"yard": {"source": "synthetic:"}},
        "commands": {"enabled": True},
        "outbox": {"path": "state/outbox.db"},
    }

    done = run_edge("run", "--config", str(write_config(tmp_path, settings)))

    assert done.returncode == 78
    assert "every command is written down in" in done.stderr
    assert "Traceback" not in done.stderr
