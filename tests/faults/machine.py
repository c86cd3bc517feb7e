"""A service with a broker and a subscriber on a machine that can be made to fail."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.brokers import Brokers, Lines, Received
from tests.flow.running import CHECKOUT, write_config

LONG_S = 120
START_S = 60.0  # three processes on a machine that does other things too
# An event every second: nothing of the kind is ever seen, and each rule misses it after another while.
_RULES = {f"no-cat-{second}": {"when": "absence", "label": "cat", "seconds": second} for second in range(1, LONG_S)}
SCENE = {"source": "synthetic", "loop": True, "rules": _RULES}


class Machine:
    """One device; ``folder`` holds its disk."""

    def __init__(self, brokers: Brokers, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.disk = folder / "disk"
        self.disk.mkdir()
        (folder / "memory").mkdir()
        self._broker = brokers.start()
        self._ear = brokers.subscribe(self._broker)
        settings = {
            "device": "gate",
            "broker": {"host": "127.0.0.1", "port": self._broker.port},
            "cameras": {"yard": SCENE},
            "outbox": {"path": str(self.disk / "outbox.db")},
            "health": {"interval_seconds": 1},
        }
        config = write_config(folder, settings)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "--config", str(config)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env={**os.environ, "RUNTIME_DIRECTORY": str(folder / "memory"), **(environment or {})},
        )
        self.log = Lines(self._process.stderr)
        self.log.wait_for(lambda line: "connected to the broker" in line, patience_s=START_S)
        self.numbers: list[int] = []

    def next(self, is_it: Callable[[Received], bool]) -> Received:
        """The next message that is the one; numbers of events are noted on the way."""
        while True:
            received = self._ear.next(patience_s=START_S)
            if received.topic.endswith("/event"):
                self.numbers.append(json.loads(received.payload)["seq"])
            if is_it(received):
                return received

    def next_event(self) -> dict[str, Any]:
        event: dict[str, Any] = self.next(lambda received: received.topic.endswith("/event")).json
        return event

    def next_health(self, is_it: Callable[[list[str]], bool]) -> dict[str, Any]:
        """The next one whose reasons are the ones."""
        health: dict[str, Any] = self.next(
            lambda received: received.topic.endswith("/health") and is_it(received.json["reasons"])
        ).json
        return health

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def allow_files(self, count: int) -> None:
        """How many descriptors the main process may have from now on."""
        _, most = resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (count, most))

    def child(self, module: str) -> int:
        """The process of a child, by what it runs."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                name = (folder / "comm").read_text().strip()
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == self._process.pid and name == f"edge-{module.rpartition('.')[2]}":
                return int(folder.name)
        raise AssertionError(f"no child runs {module}")

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(timeout=30)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
