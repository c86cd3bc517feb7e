"""A real mosquitto and its own subscriber for tests: loopback only, a free port, waited for by what they print."""

from __future__ import annotations

import getpass
import json
import queue
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 15.0  # a loaded machine; a healthy one needs milliseconds


def mosquitto_path() -> str | None:
    """Debian puts the broker into sbin, which is not on everybody's path."""
    return shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/sbin")


def has_mosquitto() -> bool:
    return bool(mosquitto_path() and shutil.which("mosquitto_sub"))


def free_port() -> int:
    """A loopback port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Lines:
    """The lines a process prints, read by a thread so that a test can wait for one of them."""

    def __init__(self, stream: Any) -> None:
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._seen: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def wait_for(self, is_it: Callable[[str], bool], *, patience_s: float = PATIENCE_S) -> str:
        """The next line that is the one; fails the test after a while, with what came instead."""
        while True:
            try:
                line = self._queue.get(timeout=patience_s)
            except queue.Empty:
                raise AssertionError("not printed in time; printed: " + "\n".join(self._seen[-30:])) from None
            if line is None:
                raise AssertionError("the process ended; it printed: " + "\n".join(self._seen[-30:]))
            if is_it(line):
                return line

    def count(self, part: str) -> int:
        """How many lines so far contain it."""
        return sum(part in line for line in self._seen)

    def _read(self, stream: Any) -> None:
        with stream:
            for raw in stream:
                line = raw.rstrip("\n")
                self._seen.append(line)
                self._queue.put(line)
        self._queue.put(None)


class Mosquitto:
    """A broker that can be killed and started again on the same port."""

    def __init__(self, folder: Path, extra: str = "", *, listener: str = "") -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        access = "" if "allow_anonymous" in extra else "allow_anonymous true\n"
        # Started as root it would change to a user of its own, who may not read a test's folder.
        self._config.write_text(
            f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\n{listener}\n"
            f"{access}log_type all\nlog_dest stderr\n{extra}\n"
        )
        self._process: subprocess.Popen[str] | None = None
        self.log: Lines

    def start(self) -> Mosquitto:
        command = [mosquitto_path() or "mosquitto", "-c", str(self._config)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.log = Lines(self._process.stderr)
        self.log.wait_for(lambda line: "running" in line)
        return self

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """An orderly end: durable sessions are saved, where the configuration says so."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Nothing is answered any more, but no connection is closed."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def _end(self, by: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(by)
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:  # mosquitto 2.0.11 misses a SIGTERM that comes as it starts
            self._process.kill()
            self._process.wait(PATIENCE_S)
        self._process = None


@dataclass(frozen=True)
class Received:
    topic: str
    payload: str
    qos: int
    retain: bool

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


class Subscriber:
    """mosquitto_sub: a client nobody here wrote."""

    def __init__(self, port: int, topic: str = "edge/#", *options: str) -> None:
        command = ["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", str(port)]
        command += ["-t", topic, "-q", "1", "-F", "%j", "-d", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._lines = Lines(self._process.stdout)
        self._lines.wait_for(lambda line: line.startswith("Subscribed"))

    def next(self, topic: str | None = None, payload: str | None = None, *, patience_s: float = PATIENCE_S) -> Received:
        """The next message that fits; others are passed over."""
        while True:
            fields = json.loads(self._lines.wait_for(lambda line: line.startswith("{"), patience_s=patience_s))
            received = Received(fields["topic"], str(fields["payload"]), fields["qos"], bool(fields["retain"]))
            if topic in (None, received.topic) and payload in (None, received.payload):
                return received

    def take(self, count: int) -> list[Received]:
        return [self.next() for _ in range(count)]

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:  # its signal handler takes a lock that its loop may hold at that moment
            self._process.kill()
            self._process.wait(PATIENCE_S)


@dataclass
class Brokers:
    """Starts brokers and subscribers, and ends them all."""

    folder: Path

    def __post_init__(self) -> None:
        self._started: list[Mosquitto | Subscriber] = []

    def start(self, extra: str = "", *, listener: str = "") -> Mosquitto:
        broker = Mosquitto(self.folder, extra, listener=listener)
        self._started.append(broker)
        return broker.start()

    def subscribe(self, broker: Mosquitto, topic: str = "edge/#", *options: str) -> Subscriber:
        subscriber = Subscriber(broker.port, topic, *options)
        self._started.append(subscriber)
        return subscriber

    def publish(self, broker: Mosquitto, topic: str, payload: str, *options: str) -> None:
        """As mosquitto_pub does; back when the broker has it."""
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1", "-V", "5"]
        subprocess.run([*command, "-t", topic, "-m", payload, *options], check=True, timeout=PATIENCE_S)

    def end(self) -> None:
        for started in reversed(self._started):
            started.stop()


def brokers_in(folder: Path) -> Iterator[Brokers]:
    """The body of a fixture."""
    brokers = Brokers(folder)
    yield brokers
    brokers.end()
