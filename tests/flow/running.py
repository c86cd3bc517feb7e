"""Run the real program against a real mosquitto, and hear what mosquitto_sub hears."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.demonstration.broker import local_broker

CHECKOUT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 110
_LAST_TOPIC = "test/the-end"


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run.

    heard : (topic, payload) in the order mosquitto_sub printed them
    """

    exit_code: int
    stderr: str
    heard: list[tuple[str, str]]

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        payloads = [json.loads(payload) for topic, payload in self.heard if topic.endswith("/event")]
        return [payload for payload in payloads if kind in (None, payload["type"])]

    def payloads(self, ending: str) -> list[str]:
        return [payload for topic, payload in self.heard if topic.endswith(ending)]


def run_edge(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command line program, as a person would start it."""
    command = [sys.executable, "-m", "edge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=cwd or CHECKOUT, check=False)


def write_config(folder: Path, settings: Mapping[str, Any]) -> Path:
    path = folder / "edge.yaml"
    path.write_text(yaml.safe_dump(dict(settings), sort_keys=False), encoding="utf-8")
    return path


def run_into_broker(folder: Path, *, cameras: Mapping[str, Any], duration: float | None = None, **settings: Any) -> Run:
    """``edge run`` to its end with a mosquitto_sub listening to everything."""
    with heard_by(folder) as (port, hear):
        broker = {"host": "127.0.0.1", "port": port}
        outbox = {"path": str(folder / "outbox.db")}
        defaults = {"device": "gate", "broker": broker, "cameras": dict(cameras), "outbox": outbox}
        config = write_config(folder, defaults | settings)
        limit = [] if duration is None else ["--duration", str(duration)]
        done = run_edge("run", "--config", str(config), *limit)
        return Run(done.returncode, done.stderr, hear())


@contextmanager
def heard_by(folder: Path) -> Iterator[tuple[int, Callable[[], list[tuple[str, str]]]]]:
    """A mosquitto, by its port, and all that a subscriber has heard; ask for that when the programs have ended."""
    with local_broker(folder) as port:
        listening = _subscribe(port)

        def hear() -> list[tuple[str, str]]:
            # QoS 1 on one broker keeps its order per client only; the end mark is sent when the program is gone
            publish = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", _LAST_TOPIC, "-m", "end"]
            subprocess.run(publish, check=True, timeout=10)
            return _heard(listening)

        yield port, hear


def wait_for_word(port: int, topic: str, word: str) -> None:
    """Until a message there has it; one that is retained counts."""
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", topic]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout is not None
        assert any(word in line for line in listening.stdout)
        listening.terminate()


def _subscribe(port: int) -> subprocess.Popen[str]:
    """Returns once the broker has granted the subscription, so that nothing is missed."""
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", "#", "-F", "%t\t%p"]
    listening = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    probe = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-r", "-t", "test/ready", "-m", "x"]
    subprocess.run(probe, check=True, timeout=10)
    assert listening.stdout is not None
    assert listening.stdout.readline() == "test/ready\tx\n"
    return listening


def _heard(listening: subprocess.Popen[str]) -> list[tuple[str, str]]:
    assert listening.stdout is not None
    heard = []
    for line in listening.stdout:
        topic, _, payload = line.rstrip("\n").partition("\t")
        if topic == _LAST_TOPIC:
            break
        heard.append((topic, payload))
    listening.terminate()
    listening.communicate(timeout=10)
    return heard
