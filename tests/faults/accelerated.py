"""A running service on the tests' own accelerator, heard by a broker."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from edge.core.shared_files import shared_folder
from tests.accelerator import FakeAccelerator
from tests.brokers import PATIENCE_S, Brokers, Mosquitto, Subscriber
from tests.flow.running import CHECKOUT, write_config

CAMERA = "edge/gate/camera/yard"


def write_pair(folder: Path) -> None:
    """The shipped model, and the same again as one for the Edge TPU: each is the other's twin."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, twin, backend in (("slow", "fast", "cpu"), ("fast", "slow", "edgetpu")):
        card = yaml.safe_load((shared_folder("models") / "edge-default.yaml").read_text())
        card |= {"name": name, "twin": twin, "file": f"{name}.tflite"}
        card["layout"]["backend"] = backend
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(card))
        shutil.copy(shared_folder("models") / "edge-default.tflite", folder / f"{name}.tflite")


class Site:
    """``edge run`` with one made-up camera, its accelerator, and what the broker hears."""

    def __init__(
        self, folder: Path, brokers: Brokers, library: Path | None, *, camera: Mapping[str, Any] | None = None
    ) -> None:
        """
        Parameters
        ----------
        library : stands in for libedgetpu; None = there is none
        """
        write_pair(folder / "models")
        control = folder / "accelerator"
        self.accelerator = FakeAccelerator(library or folder / "nowhere" / "lib.so", control)
        self.broker: Mosquitto = brokers.start()
        self.heard: Subscriber = brokers.subscribe(self.broker)
        scene = {"source": "synthetic:", "fps": 10, "publish_detections": True}
        settings = {
            "device": "gate",
            "model": "fast",
            "accelerator": "edgetpu",
            "broker": {"host": "127.0.0.1", "port": self.broker.port},
            "cameras": {"yard": {**scene, **(camera or {})}},
            "outbox": {"path": "state/outbox.db"},
            "health": {"interval_seconds": 1},
        }
        self._command = [sys.executable, "-m", "edge", "run", "--config", str(write_config(folder, settings))]
        self._environment = {
            **os.environ,
            **self.accelerator.environment(),
            "EDGE_MODELS": str(folder / "models"),
        }
        self.log = folder / "log"
        self._kept: defaultdict[str, deque[dict[str, Any]]] = defaultdict(deque)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=CHECKOUT, env=self._environment, stderr=log)

    def detections(self, backend: str) -> dict[str, Any]:
        """The next of a frame that this backend looked at."""
        return self._next(f"{CAMERA}/detections", backend=backend)

    def gap_ms(self, newest: dict[str, Any], after: str) -> int:
        """From the newest frame of one backend, which may not be this one yet, to the first of the other."""
        while True:
            told = self._next(f"{CAMERA}/detections")
            if told["backend"] == after:
                gap: int = told["time"]["monotonic_ms"] - newest["time"]["monotonic_ms"]
                return gap
            newest = told

    def event(self, kind: str) -> dict[str, Any]:
        """The first of its kind that was not asked for yet."""
        topic = f"{CAMERA}/event"
        while True:
            for place, told in enumerate(self._kept[topic]):
                if told["type"] == kind:
                    del self._kept[topic][place]
                    return told
            self._hear()

    def health(self, **wanted: Any) -> dict[str, Any]:
        """The next that says so."""
        return self._next("edge/gate/health", **wanted)

    def info(self, backend: str) -> dict[str, Any]:
        """The next that says so."""
        return self._next("edge/gate/info", backend=backend)

    def _next(self, topic: str, **wanted: Any) -> dict[str, Any]:
        """The next on a topic that says so; those before it are passed over, those on other topics are kept."""
        while True:
            while self._kept[topic]:
                told = self._kept[topic].popleft()
                if all(told[key] == value for key, value in wanted.items()):
                    return told
            self._hear()

    def _hear(self) -> None:
        received = self.heard.next()
        if received.payload.startswith("{"):
            self._kept[received.topic].append(received.json)

    def logged(self, words: str) -> int:
        """How many lines hold the words."""
        return sum(words in line for line in self.log.read_text().splitlines())

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(PATIENCE_S) == 0, self.log.read_text()
            self._process = None
