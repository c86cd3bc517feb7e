"""SIGHUP: the real program takes up another configuration while it runs, and what is not concerned does not notice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Lines
from tests.flow.running import CHECKOUT, heard_by, wait_for_word, write_config

NOBODY = {"host": "127.0.0.1", "port": 9}  # the discard port: nothing listens there
PATIENCE_S = 90.0
# Every frame of it is looked at, however long that takes: a lost one would be missing in the end.
WHOLE = {"source": "synthetic:?width=160&height=120&seconds=60&fps=20", "pace": "fast"}
WHOLE_FRAMES = 1200
LIVE = {"source": "synthetic", "fps": 5}
SHORT = {"source": "synthetic:?width=160&height=120&seconds=1&fps=10", "pace": "fast"}


class Running:
    """``edge run`` with a configuration that is written anew and read again."""

    def __init__(self, folder: Path, cameras: dict[str, Any], **settings: Any) -> None:
        self._folder = folder
        self._settings = {"device": "gate", "broker": NOBODY, "outbox": {"path": str(folder / "outbox.db")}} | settings
        self.config = self.write(cameras)
        command = [sys.executable, "-m", "edge", "run", "--config", str(self.config)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT)
        self.lines = Lines(self.process.stderr)
        self._cameras = tuple(cameras)

    def until_online(self) -> None:
        """In whatever order they come."""
        missing = {f"camera {name}: online" for name in self._cameras}

        def is_last(line: str) -> bool:
            missing.difference_update({words for words in missing if words in line})
            return not missing

        self.lines.wait_for(is_last, patience_s=PATIENCE_S)

    def write(self, cameras: dict[str, Any], **settings: Any) -> Path:
        return write_config(self._folder, self._settings | settings | {"cameras": cameras})

    def hear(self, words: str) -> str:
        return self.lines.wait_for(lambda line: words in line, patience_s=PATIENCE_S)

    def reload(self, cameras: dict[str, Any], **settings: Any) -> str:
        """Write another file and have it taken up; what the service says of it."""
        self.write(cameras, **settings)
        self.process.send_signal(signal.SIGHUP)
        return self.hear("edge.service.reloading: reload:")

    def processes(self) -> dict[str, int]:
        """Camera or module -> process id of each child."""
        return processes_of(self.process.pid)


def processes_of(service: int) -> dict[str, int]:
    """Camera or module -> process id of each child of a service."""
    found = {}
    for pid in " ".join(each.read_text() for each in Path(f"/proc/{service}/task").glob("*/children")).split():
        try:
            name = _name(int(pid))
            if name.startswith("edge-"):
                found[_memory_of(int(pid)) or name.removeprefix("edge-")] = int(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it went while we looked: a camera that is let go takes its time
    return found


def _memory_of(pid: int) -> str | None:
    """The camera whose frames, and whose alone, a process writes."""
    names = set()
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if "/memfd:edge-" in line:
            names.add(line.partition("/memfd:edge-")[2].partition(" ")[0])
    return names.pop() if len(names) == 1 and _name(pid) == "edge-capture" else None


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(cameras: dict[str, Any], **settings: Any) -> Running:
        started.append(Running(tmp_path, cameras, **settings))
        started[-1].until_online()
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.mark.slow
def test_a_camera_that_a_reload_does_not_touch_loses_no_frame(run: Callable[..., Running]) -> None:
    running = run({"yard": WHOLE, "shed": SHORT})
    before = running.processes()

    interval = running.reload({"yard": WHOLE, "shed": SHORT}, health={"interval_seconds": 5})
    refused = running.reload({"yard": WHOLE, "shed": SHORT | {"labels": ["nobody"]}})
    running.hear("stays in force")
    exchanged = running.reload({"yard": WHOLE, "gate": SHORT})
    gone = running.reload({"yard": WHOLE})

    assert running.processes()["yard"] == before["yard"]
    end = running.hear("stopped after")
    assert "health" in interval
    assert "nobody" in refused
    assert "camera gate comes; camera shed goes" in exchanged
    assert "camera gate goes" in gone
    assert int(end.rpartition(" frames")[0].split()[-1]) >= WHOLE_FRAMES


def test_zones_rules_and_thresholds_change_without_a_new_process(run: Callable[..., Running]) -> None:
    running = run({"yard": LIVE})
    before = running.processes()
    zones = {"zones": {"door": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}, "thresholds": {"person": 0.3}}
    rules = {"rules": {"guest": {"when": "enter", "zone": "door", "label": "person"}}}

    said = running.reload({"yard": LIVE | zones | rules | {"ignore": [[[0, 0], [0.1, 0], [0.1, 0.1]]]}})

    assert "camera yard: " in said
    assert {"zones", "rules", "thresholds", "ignore"} <= set(said.rpartition("camera yard: ")[2].strip().split(", "))
    assert running.processes() == before


def test_another_source_restarts_that_camera_alone(run: Callable[..., Running]) -> None:
    running = run({"yard": LIVE, "shed": LIVE})
    before = running.processes()

    said = running.reload({"yard": LIVE | {"fps": 8}, "shed": LIVE})
    running.hear("camera yard: online")

    after = running.processes()
    assert "camera yard is opened anew" in said
    assert after["yard"] != before["yard"]
    assert {**after, "yard": 0} == {**before, "yard": 0}


def test_the_model_goes_through_a_process_of_its_own_and_no_camera_does(run: Callable[..., Running]) -> None:
    running = run({"yard": LIVE})
    before = running.processes()

    said = running.reload({"yard": LIVE | {"tiles": "2x1"}})

    after = running.processes()
    assert "in a new process" in said
    assert after["infer"] != before["infer"]
    assert {**after, "infer": 0} == {**before, "infer": 0}


def test_a_file_with_mistakes_changes_nothing_and_all_of_them_are_said(run: Callable[..., Running]) -> None:
    running = run({"yard": LIVE})
    before = running.processes()

    first = running.reload({"yard": LIVE | {"fps": -1, "rotate": 45}})
    others = [running.hear("reload:"), running.hear("reload:")]
    again = running.reload({"yard": LIVE})

    assert "cameras.yard.fps" in first
    assert "cameras.yard.rotate" in others[0]
    assert "stays in force" in others[1]
    assert "nothing has changed" in again
    assert running.processes() == before


def test_what_can_not_change_while_it_runs_is_named(run: Callable[..., Running]) -> None:
    running = run({"yard": LIVE})

    said = running.reload({"yard": LIVE}, device="door", outbox={"path": "elsewhere.db"})

    assert "device, outbox.path: takes effect at the next restart" in said


@pytest.mark.broker
def test_those_who_listen_hear_of_a_refused_file_and_of_what_came_and_went(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    with heard_by(tmp_path) as (port, hear):
        running = run({"yard": LIVE, "shed": LIVE}, broker={"host": "127.0.0.1", "port": port})
        broker = {"broker": {"host": "127.0.0.1", "port": port}}
        running.reload({"yard": LIVE | {"fps": -1}}, **broker)
        running.hear("stays in force")
        wait_for_word(port, "edge/gate/health", "configuration_refused")  # told soon, not at once
        running.reload({"yard": LIVE, "door": LIVE}, **broker)
        running.hear("camera door: online")
        running.reload(
            {"yard": LIVE, "door": LIVE}, **(broker | {"outbox": running._settings["outbox"] | {"consumer": "desk"}})
        )
        running.hear("connected")
        running.process.terminate()
        running.process.wait(PATIENCE_S)
        heard = hear()

    infos = [json.loads(payload) for topic, payload in heard if topic == "edge/gate/info"]
    healths = [json.loads(payload) for topic, payload in heard if topic == "edge/gate/health"]
    refusals = [info["configuration"]["refused"] for info in infos]
    assert any(refusal and "cameras.yard.fps" in refusal for refusal in refusals)
    assert refusals[-1] is None
    assert any("configuration_refused" in health["reasons"] for health in healths)
    assert "configuration_refused" not in healths[-1]["reasons"]
    assert infos[-1]["cameras"] == ["yard", "door"]
    assert infos[-1]["delivery"] == "confirmed"
    shed = [payload for topic, payload in heard if topic == "edge/gate/camera/shed/status"]
    assert (shed[0], set(shed[1:])) == ("online", {""})
    statuses = [payload for topic, payload in heard if topic == "edge/gate/status"]
    assert statuses == ["online", "offline", "online", "offline"]
