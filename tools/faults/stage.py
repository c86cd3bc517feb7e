"""A broker, a service without eyes, the reference consumer and a witness: what is killed, frozen and watched."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CONSUMER = "archive"
_PORTS = (20_000, 32_000)
_CHECKOUT = Path(__file__).resolve().parents[2]


class Stage:
    """A broker, a service without eyes, the reference consumer and a witness, in one folder."""

    def __init__(self, folder: Path, *, rate: float, is_hasty: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.ledger, self.seen, self.wire = (folder / name for name in ("ledger", "seen", "wire"))
        self._rate = rate
        self._is_hasty = is_hasty
        self._config = folder / "edge.yaml"
        self._log = (folder / "log").open("ab")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._wire_file = self.wire.open("ab")
        self._seen_file = self.seen.open("ab")
        self._write_configurations()

    def start(self) -> None:
        self.start_broker()
        self.start_watch()
        self.start_witness()
        self.start_service()

    def start_witness(self) -> None:
        """Writes down what is on the wire, and when."""
        witness = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-t", "edge/+/camera/+/event"]
        self._start("witness", [*witness, "-F", "%U %p"], self._wire_file)
        time.sleep(1.0)

    def start_watch(self) -> None:
        """The reference consumer; returns when it has made itself known to the broker."""
        watch = ["edge", "watch", "--broker", f"mqtt://127.0.0.1:{self.port}", "--consumer", CONSUMER, "--json"]
        self._start("watch", [sys.executable, "-m", *watch, "--state", str(self.folder)], self._seen_file)
        wait_until(lambda: b"edge: connected" in (self.folder / "log").read_bytes(), 20.0)

    def start_broker(self) -> None:
        """Again and again: while it was dead, another program may have its port for a moment."""
        command = [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(self.folder / "mosquitto.conf")]
        self._start("broker", command, self._log)

        def is_up() -> bool:
            if self._running["broker"].poll() is not None:
                time.sleep(0.2)
                self._start("broker", command, self._log)
            return listens(self.port) and self._running["broker"].poll() is None

        if not wait_until(is_up, 60.0):
            raise AssertionError(f"no broker at port {self.port} within 60 s: see {self.folder / 'log'}")

    def start_service(self, *options: str) -> None:
        command = [sys.executable, "-m", "tools.faults.alerting", "--config", str(self._config)]
        command += ["--ledger", str(self.ledger), *(options or ("--rate", str(self._rate)))]
        command += ["--hasty"] if self._is_hasty else []
        self._start("service", command, self._log)

    def kill(self, victim: str) -> bool:
        """Kill -9; what nobody else starts again is started here. False if it was not there just now."""
        if victim == "publisher":
            child = self.publisher()
            if child is not None:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            return child is not None
        self._running[victim].kill()
        self._running[victim].wait()
        (self.start_broker if victim == "broker" else self.start_service)()
        return True

    def kill_broker(self) -> None:
        self._running["broker"].kill()
        self._running["broker"].wait()

    def freeze_broker(self) -> None:
        """It answers no more, and closes nothing."""
        self._running["broker"].send_signal(signal.SIGSTOP)

    def wait_for_commits(self, count: int, timeout_s: float = 120.0) -> None:
        if not wait_until(lambda: line_count(self.ledger) >= count, timeout_s, every_s=0.5):
            raise AssertionError(f"{len(committed(self.ledger))} of {count} events were committed in {timeout_s:g} s")

    def memory_kb(self) -> int:
        """What service and publisher hold of their own, now."""
        return sum(_anonymous_kb(pid) for pid in (self._running["service"].pid, self.publisher()) if pid is not None)

    def stop_service(self) -> float:
        """SIGTERM; how long it took to go."""
        began = time.monotonic()
        self._running["service"].send_signal(signal.SIGTERM)
        self._running["service"].wait(30)
        return time.monotonic() - began

    def publisher(self) -> int | None:
        """The service's child, None while there is none."""
        pid = self._running["service"].pid
        try:
            tasks = Path(f"/proc/{pid}/task").iterdir()
            children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
            return next((child for child in children if _is_publisher(child)), None)
        except OSError:
            return None

    def end(self) -> None:
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        for file in (self._log, self._wire_file, self._seen_file):
            file.close()

    def wait_for_all(self, timeout_s: float) -> bool:
        """Until the consumer has what was committed."""
        return wait_until(lambda: committed(self.ledger) <= set(seen(self.seen)), timeout_s, every_s=0.5)

    def _start(self, name: str, command: list[str], output: object) -> None:
        environment = os.environ | {"PYTHONPATH": str(_CHECKOUT), "PYTHONUNBUFFERED": "1"}
        self._running[name] = subprocess.Popen(
            command,
            stdout=output,
            stderr=self._log,
            cwd=_CHECKOUT,
            env=environment,  # type: ignore[call-overload]
        )

    def _write_configurations(self) -> None:
        # mosquitto's own defaults for what is kept: to disk every half hour, and at an orderly end
        store = self.folder / "broker"
        store.mkdir(exist_ok=True)
        (self.folder / "mosquitto.conf").write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"persistence true\npersistence_location {store}/\nlog_type error\n"
        )
        self._config.write_text(
            f"device: gate\nbroker: {{host: 127.0.0.1, port: {self.port}}}\n"
            f"outbox: {{path: {self.folder / 'outbox.db'}, consumer: {CONSUMER}, max_megabytes: 256}}\n"
            "health: {interval_seconds: 5}\n"
            "cameras: {yard: {source: synthetic}}\n"
        )


def committed(ledger: Path) -> set[tuple[str, int]]:
    """What is durable; a line that a kill cut short is not."""
    if not ledger.exists():
        return set()
    lines = ledger.read_text().split("\n")[:-1]
    return {(epoch, int(seq)) for epoch, seq in (line.split(" ") for line in lines)}


def seen(file: Path) -> list[tuple[str, int]]:
    """What the consumer handed over."""
    lines = file.read_text().split("\n")[:-1]
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return [(event["epoch"], event["seq"]) for event in events if "seq" in event]


def witnessed(file: Path) -> Iterator[tuple[float, dict[str, object]]]:
    """What the witness saw: milliseconds on the wall, and the event."""
    with file.open() as lines:
        for line in lines:
            received, _, payload = line.partition(" ")
            if line.endswith("\n"):
                yield float(received) * 1000, json.loads(payload)


def _is_publisher(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().strip() == "edge-publisher"


def line_count(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def _anonymous_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def wait_until(is_so: object, timeout_s: float, *, every_s: float = 0.05) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if is_so():  # type: ignore[operator]
            return True
        time.sleep(every_s)
    return False


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False


def free_port() -> int:
    """Below those that the system gives to whoever asks for any: a broker that is away for minutes finds it free."""
    chance = random.SystemRandom()
    while True:
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", chance.randrange(*_PORTS)))
            return int(probe.getsockname()[1])
