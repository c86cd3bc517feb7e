"""``edge run`` with a real broker, and everything that a subscriber heard, with the time at which it did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.demonstration.broker import local_broker

_CHECKOUT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Word:
    """at_s : Unix time of its arrival"""

    at_s: float
    topic: str
    payload: str

    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.payload)
        return value


class Running:
    """The program, and what is heard of it."""

    def __init__(self, program: subprocess.Popen[bytes], listener: subprocess.Popen[str]) -> None:
        self.program = program
        self.words: list[Word] = []
        self._listener = listener
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def first(self, is_it: Callable[[Word], bool], *, since_s: float, within_s: float = _PATIENCE_S) -> Word:
        """The first word since a time that is the one; waits for it."""
        deadline, seen = time.monotonic() + within_s, 0
        while time.monotonic() < deadline:
            words = self.words[seen:]
            seen += len(words)
            for word in words:
                if word.at_s >= since_s and is_it(word):
                    return word
            time.sleep(0.01)
        raise TimeoutError(f"not heard within {within_s:g} s; the last was {self.words[-3:]}")

    def status(self, camera: str, value: str, *, since_s: float, within_s: float = _PATIENCE_S) -> Word:
        topic = f"/camera/{camera}/status"
        return self.first(
            lambda word: word.topic.endswith(topic) and word.payload == value, since_s=since_s, within_s=within_s
        )

    def detections(self, camera: str, *, since_s: float) -> Word:
        return self.first(lambda word: word.topic.endswith(f"/camera/{camera}/detections"), since_s=since_s)

    def events(self, kind: str) -> list[dict[str, Any]]:
        found = [word.json() for word in self.words if word.topic.endswith("/event")]
        return [each for each in found if each["type"] == kind]

    def end(self) -> None:
        """Stop the program, and hear its last words."""
        self.program.send_signal(signal.SIGTERM)
        self.program.wait(10)
        self._listener.terminate()
        self._thread.join(5.0)
        self._listener.communicate(timeout=5)

    def _listen(self) -> None:
        assert self._listener.stdout is not None
        for line in self._listener.stdout:
            topic, _, payload = line.rstrip("\n").partition("\t")
            self.words.append(Word(time.time(), topic, payload))


@contextmanager
def running(
    folder: Path, cameras: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, **settings: Any
) -> Iterator[Running]:
    """``edge run`` until the end of the block; its words are in ``folder/log``."""
    with local_broker(folder) as port, (folder / "log").open("wb") as log:
        config = folder / "edge.yaml"
        broker = {"host": "127.0.0.1", "port": port}
        outbox = {"path": str(folder / "outbox.db")}
        config.write_text(
            yaml.safe_dump({"device": "gate", "broker": broker, "outbox": outbox, "cameras": dict(cameras)} | settings)
        )
        subscribe = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", "edge/#", "-F", "%t\t%p"]
        listener = subprocess.Popen(subscribe, stdout=subprocess.PIPE, text=True, bufsize=1)
        time.sleep(0.5)
        command = [sys.executable, "-m", "edge", "run", "--config", str(config)]
        around = {**os.environ, **(environment or {})}
        run = Running(subprocess.Popen(command, cwd=_CHECKOUT, env=around, stderr=log), listener)
        try:
            yield run
        finally:
            run.end()
