"""A hot day through the real program: fewer frames, a tighter gate, a smaller model; and all of it back again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml

from edge.core.shared_files import shared_folder
from tests.brokers import Lines
from tests.flow.running import CHECKOUT, heard_by, write_config
from tests.flow.test_reload import PATIENCE_S, processes_of
from tools.faults.heated import set_temperature

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.broker]

HASTE = 20
HOT_C, COOL_C = 85.0, 50.0
PERSON_AT = 300  # a frame of the film in which both models are sure of one person
LARGE, SMALL = "edge-default-320", "edge-default"


class HotDay:
    """The service on a machine whose temperature is told by hand, in front of a person who stands still."""

    def __init__(self, folder: Path, picture: Path, port: int, **governor: Any) -> None:
        self._folder = folder
        self._system = folder / "system"
        set_temperature(self._system, COOL_C)
        self._settings = {
            "device": "gate",
            "model": LARGE,
            "broker": {"host": "127.0.0.1", "port": port},
            "outbox": {"path": str(folder / "outbox.db")},
            "health": {"interval_seconds": 1},
            "governor": governor,
        }
        self._camera = {"source": str(picture.parent), "loop": True, "fps": 10, "publish_detections": True}
        config = self.write()
        command = [sys.executable, "-m", "tools.faults.heated", str(config), "--system", str(self._system)]
        command += ["--haste", str(HASTE)]
        environment = {**os.environ, "EDGE_MODELS": str(folder / "models")}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT, env=environment)
        self._lines = Lines(self.process.stderr)
        self.hear("camera yard: online")

    def write(self, **camera: Any) -> Path:
        return write_config(self._folder, self._settings | {"cameras": {"yard": self._camera | camera}})

    def hear(self, words: str) -> str:
        return self._lines.wait_for(lambda line: words in line, patience_s=PATIENCE_S)

    def be(self, celsius: float) -> None:
        set_temperature(self._system, celsius)

    def bring_the_sister(self) -> None:
        """Until she works."""
        self.be(HOT_C)
        self.hear(f"model {SMALL} does the work for now")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_S)


@pytest.fixture
def picture(shared: Path, tmp_path: Path) -> Path:
    film = cv2.VideoCapture(str(shared / "data" / "video" / "person-walk.mp4"))
    film.set(cv2.CAP_PROP_POS_FRAMES, PERSON_AT)
    _, image = film.read()
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "person.png"), image)
    return tmp_path / "pictures" / "person.png"


@pytest.fixture
def begin(picture: Path, tmp_path: Path) -> Iterator[Callable[..., HotDay]]:
    days: list[HotDay] = []

    def start(port: int, **governor: Any) -> HotDay:
        days.append(HotDay(tmp_path, picture, port, **governor))
        return days[-1]

    yield start
    for day in days:
        day.process.kill()
        day.process.wait()


def restraints(heard: list[tuple[str, str]]) -> list[tuple[float, float, bool]]:
    """What health said was done without, each once in a row."""
    told = [json.loads(payload) for topic, payload in heard if topic == "edge/gate/health"]
    each = [tuple(health["restraint"].values())[:3] for health in told if "restraint" in health]
    return [one for place, one in enumerate(each) if place == 0 or each[place - 1] != one]


def models(heard: list[tuple[str, str]]) -> list[str]:
    told = [json.loads(payload)["model"]["name"] for topic, payload in heard if topic == "edge/gate/info"]
    return [one for place, one in enumerate(told) if place == 0 or told[place - 1] != one]


def track_events(heard: list[tuple[str, str]]) -> list[tuple[str, int]]:
    events = [json.loads(payload) for topic, payload in heard if topic.endswith("/event")]
    return [(event["type"], event["track"]["id"]) for event in events if event["type"].startswith("track_")]


def test_the_whole_ladder_is_gone_down_and_up_and_the_person_stays_the_same(
    begin: Callable[..., HotDay], tmp_path: Path
) -> None:
    with heard_by(tmp_path) as (port, hear):
        day = begin(port)
        day.bring_the_sister()
        day.be(COOL_C)
        day.hear(f"model {LARGE} works again")
        day.hear("doing more again: Restraint(rate=1.0")
        day.stop()
        heard = hear()

    assert models(heard) == [LARGE, SMALL, LARGE]
    told = restraints(heard)
    assert told[-1] == (1.0, 1.0, False)
    assert (0.5, 2.0, True) in told
    assert [one[2] for one in told if one[2]] == [True], "the smaller model came once"
    assert track_events(heard) == [("track_start", 1), ("track_end", 1)]
    looked = {json.loads(payload)["model"]["name"] for topic, payload in heard if topic.endswith("/detections")}
    assert looked == {LARGE, SMALL}


def test_a_sister_whose_file_is_damaged_leaves_the_larger_at_work_and_it_is_said(
    begin: Callable[..., HotDay], tmp_path: Path
) -> None:
    weak = weak_model(tmp_path)
    with heard_by(tmp_path) as (port, hear):
        day = begin(port, smaller_model="weak")
        weak.write_bytes(weak.read_bytes()[:-1] + b"?")
        day.be(HOT_C)
        said = day.hear("the smaller model can't be used")
        day.stop()
        heard = hear()

    assert "the larger one does the work" in said
    assert models(heard) == [LARGE]
    reasons = [json.loads(payload)["reasons"] for topic, payload in heard if topic == "edge/gate/health"]
    assert any("smaller_model_failed" in each for each in reasons)
    assert not any(one[2] for one in restraints(heard))
    assert track_events(heard) == [("track_start", 1), ("track_end", 1)]


def test_a_sister_who_is_killed_again_and_again_at_work_gives_the_place_back(
    begin: Callable[..., HotDay], tmp_path: Path
) -> None:
    with heard_by(tmp_path) as (port, hear):
        day = begin(port)
        day.bring_the_sister()
        for _ in range(3):
            kill_model(day)
        day.hear(f"model {LARGE} works again")
        day.stop()
        heard = hear()

    assert models(heard)[-1] == LARGE
    kinds = [json.loads(payload)["type"] for topic, payload in heard if topic.endswith("/event")]
    assert "model_rolled_back" in kinds
    assert not restraints(heard)[-1][2]


def test_a_reload_while_the_sister_works_leaves_her_there_or_brings_the_model_that_the_file_names(
    begin: Callable[..., HotDay], tmp_path: Path
) -> None:
    with heard_by(tmp_path) as (port, hear):
        day = begin(port)
        day.bring_the_sister()
        before = processes_of(day.process.pid)
        day.write(labels=["person"])
        day.process.send_signal(signal.SIGHUP)
        day.hear("reload: camera yard: labels")
        after = processes_of(day.process.pid)
        day.write(labels=["person"], tiles="2x1")
        day.process.send_signal(signal.SIGHUP)
        day.hear("in a new process")
        day.hear(f"model {SMALL} does the work for now")
        day.stop()
        heard = hear()

    assert after == before
    assert models(heard) == [LARGE, SMALL, LARGE, SMALL]


def weak_model(folder: Path) -> Path:
    """A model of its own beside the shipped ones."""
    models = folder / "models"
    models.mkdir()
    file = models / "weak.tflite"
    shutil.copy(shared_folder("models") / "edge-default.tflite", file)
    card = yaml.safe_load((shared_folder("models") / "edge-default.yaml").read_text(encoding="utf-8"))
    (models / "weak.yaml").write_text(yaml.safe_dump(card | {"name": "weak", "file": file.name}), encoding="utf-8")
    return file


def kill_model(day: HotDay) -> None:
    """As soon as there is one."""
    while (pid := processes_of(day.process.pid).get("infer")) is None:
        continue
    os.kill(pid, signal.SIGKILL)
    day.hear("starting it again")
