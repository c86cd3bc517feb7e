"""mosquitto with the shipped profile on this machine's loopback, and two who listen: an operator and a consumer."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.brokers import mosquitto_path
from tools.booting.desk import CONSUMER, Desk

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One message; ``at_s`` in seconds since 1970, when it came."""

    at_s: float
    topic: str
    is_retained: bool
    payload: str

    def fields(self) -> dict[str, Any]:
        return dict(json.loads(self.payload))


class Broker:
    """Until ``stop``. The broker may be killed and started anew: the consumer comes back by itself, as it promises."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._heard = desk.folder / "heard.txt"
        self.events = desk.folder / "events.jsonl"
        self._broker: subprocess.Popen[bytes] | None = None
        self._eye: subprocess.Popen[bytes] | None = None
        self._consumer: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.start_broker()
        self._consumer = self._start_consumer()

    def start_broker(self) -> None:
        files = self._desk.folder / "pki/broker"
        profile = (files / "edge.conf").read_text(encoding="utf-8").replace("/etc/mosquitto/edge", str(files))
        profile = profile.replace("listener 8883", f"listener {self._desk.port} 127.0.0.1")
        profile = profile.replace("/var/lib/mosquitto/", f"{files}/")
        config = files / "mosquitto.conf"
        config.write_text(f"user {getpass.getuser()}\n{profile}", encoding="utf-8")
        log = (self._desk.folder / "mosquitto.log").open("ab")
        self._broker = subprocess.Popen([mosquitto_path() or "mosquitto", "-c", str(config)], stdout=log, stderr=log)
        self._wait_until_it_listens()
        self._eye = self._start_eye()  # mosquitto_sub ends with its connection

    def start_broker_if_away(self) -> None:
        if self._broker is None:
            self.start_broker()

    def kill_broker(self) -> None:
        for process in (self._broker, self._eye):
            if process is not None:
                process.kill()
                process.wait()
        self._broker = self._eye = None

    def stop(self) -> None:
        if self._consumer is not None:
            self._consumer.terminate()
            self._consumer.wait(30)
        self.kill_broker()

    def heard(self, since_s: float = 0.0) -> Iterator[Heard]:
        """What came live since a moment, oldest first."""
        if not self._heard.exists():
            return
        for line in self._heard.read_text(encoding="utf-8", errors="replace").splitlines():
            parts = line.split("\t", 3)
            if len(parts) == 4 and float(parts[0]) >= since_s:
                yield Heard(float(parts[0]), parts[1], parts[2] == "1", parts[3])

    def _wait_until_it_listens(self) -> None:
        ends_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < ends_s:
            try:
                socket.create_connection(("127.0.0.1", self._desk.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(
            f"mosquitto does not listen on port {self._desk.port}; see {self._desk.folder}/mosquitto.log"
        )

    def _start_eye(self) -> subprocess.Popen[bytes]:
        folder = self._desk.folder / "pki/operators/watcher"
        tls = ["--cafile", str(folder / "ca.crt"), "--cert", str(folder / "watcher.crt")]
        command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self._desk.port), *tls]
        command += ["--key", str(folder / "watcher.key"), "-t", "edge/#", "-F", "%U\t%t\t%r\t%p"]
        errors = (self._desk.folder / "eye.log").open("ab")
        return subprocess.Popen(command, stdout=self._heard.open("ab"), stderr=errors)

    def _start_consumer(self) -> subprocess.Popen[bytes]:
        folder = self._desk.folder / f"pki/consumers/{CONSUMER}"
        command = [sys.executable, "-m", "edge", "watch", "--json", "--consumer", CONSUMER, "--wait", "60"]
        command += ["--broker", f"mqtts://127.0.0.1:{self._desk.port}", "--ca", str(folder / "ca.crt")]
        command += ["--cert", str(folder / f"{CONSUMER}.crt"), "--key", str(folder / f"{CONSUMER}.key")]
        command += ["--state", str(self._desk.folder / "watch")]
        errors = (self._desk.folder / "watch.log").open("ab")
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(command, stdout=self.events.open("ab"), stderr=errors, env=environment)
