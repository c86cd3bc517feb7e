"""Kill publisher, service and broker at random, and count what a user of the reference consumer gets.

    python -m tools.faults.delivery --kills 1000 --victims publisher,service,broker

Three books that know nothing of each other are compared at the end: what the outbox committed (tools.faults.alerting),
what ``edge watch`` handed over, and what mosquitto_sub, a client nobody here wrote, saw on the wire.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

VICTIMS = ("publisher", "service", "broker")
CONSUMER = "archive"
_LATE_MS = 11_000  # what an event may be old without ``replayed``: 10 s, and one for the way
_CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Verdict:
    """What the three books say. lost, seen_twice and unmarked must be 0.

    unmarked : events that came late or again on the wire without saying so
    """

    kills: int = 0
    committed: int = 0
    lost: int = 0
    seen_twice: int = 0
    unmarked: int = 0
    on_the_wire: int = 0
    wire_repeats: int = 0
    replayed: int = 0
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return self.committed > 0 and not (self.lost or self.seen_twice or self.unmarked)


class Stage:
    """A broker, a service without eyes, the reference consumer and a witness, in one folder."""

    def __init__(self, folder: Path, *, rate: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = _free_port()
        self.ledger, self.seen, self.wire = (folder / name for name in ("ledger", "seen", "wire"))
        self._rate = rate
        self._config = folder / "edge.yaml"
        self._log = (folder / "log").open("ab")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._wire_file = self.wire.open("ab")
        self._seen_file = self.seen.open("ab")
        self._write_configurations()

    def start(self) -> None:
        self.start_broker()
        self.start_watch()
        witness = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-t", "edge/+/camera/+/event"]
        self._start("witness", [*witness, "-F", "%U %p"], self._wire_file)
        time.sleep(1.0)
        self.start_service()

    def start_watch(self) -> None:
        """The reference consumer; returns when it has made itself known to the broker."""
        watch = ["edge", "watch", "--broker", f"mqtt://127.0.0.1:{self.port}", "--consumer", CONSUMER, "--json"]
        self._start("watch", [sys.executable, "-m", *watch, "--state", str(self.folder)], self._seen_file)
        _wait(lambda: b"edge: connected" in (self.folder / "log").read_bytes(), 20.0)

    def start_broker(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._start("broker", [program, "-c", str(self.folder / "mosquitto.conf")], self._log)
        _wait(lambda: _listens(self.port), 10.0)

    def start_service(self, *options: str) -> None:
        command = [sys.executable, "-m", "tools.faults.alerting", "--config", str(self._config)]
        command += ["--ledger", str(self.ledger), *(options or ("--rate", str(self._rate)))]
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
        if not _wait(lambda: _lines(self.ledger) >= count, timeout_s, every_s=0.5):
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
            children = [child for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            return None
        return int(children[0]) if children else None

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
        return _wait(lambda: committed(self.ledger) <= set(seen(self.seen)), timeout_s, every_s=0.5)

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


def storm(stage: Stage, *, kills: int, victims: Iterable[str], seed: int, longest_s: float = 2.0) -> int:
    """Kill in turn at random moments, each after something new has come through; how many were hit."""
    chance = random.Random(seed)  # noqa: S311
    order = list(victims)
    hit = 0
    for number in range(kills):
        before = _size(stage.seen)
        _wait(lambda before=before: _size(stage.seen) > before, 90.0, every_s=0.01)  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, longest_s))
        hit += stage.kill(order[number % len(order)])
        if (number + 1) % 50 == 0:
            print(f"{time.strftime('%H:%M:%S')} {hit} kills, {len(committed(stage.ledger))} committed", flush=True)
    return hit


@dataclass(slots=True)
class Outage:
    """A broker that is away while alerts come, and then is back. Memory of service and publisher together."""

    alerts: int
    growth_kb: int
    drain_per_s: float
    missing: int


def outage(stage: Stage, alerts: int) -> Outage:
    """So many alerts while the broker is away, as fast as the disk takes them: a day in some minutes."""
    stage.start_broker()
    stage.start_watch()
    stage.kill_broker()
    stage.start_service("--rate", "1000", "--count", str(alerts), "--linger", "3600")
    stage.wait_for_commits(min(2_000, alerts // 4))
    memory = [stage.memory_kb()]
    stage.wait_for_commits(alerts, 60.0 + alerts / 100)
    memory.append(stage.memory_kb())
    stage.start_broker()
    began = time.monotonic()
    # four fifths, without the end that waits for the consumer's patience
    _wait(lambda: _lines(stage.seen) >= alerts * 4 // 5, 60.0 + alerts / 50, every_s=0.5)
    drain_per_s = _lines(stage.seen) / (time.monotonic() - began)
    memory.append(stage.memory_kb())
    stage.wait_for_all(120.0)
    memory.append(stage.memory_kb())
    missing = len(committed(stage.ledger) - set(seen(stage.seen)))
    return Outage(alerts, max(memory) - memory[0], round(drain_per_s), missing)


def judge(stage: Stage, kills: int, seconds: float) -> Verdict:
    """Compare the books."""
    wanted = committed(stage.ledger)
    got = Counter(seen(stage.seen))
    verdict = Verdict(kills=kills, committed=len(wanted), seconds=round(seconds, 1))
    verdict.lost = len(wanted - set(got))
    verdict.seen_twice = sum(count - 1 for count in got.values())
    known: set[tuple[str, int]] = set()
    for received_ms, event in _wire(stage.wire):
        identity = (event["epoch"], event["seq"])
        verdict.on_the_wire += 1
        verdict.wire_repeats += identity in known
        verdict.replayed += event["replayed"]
        is_late = received_ms - event["time"]["wall_ms"] > _LATE_MS
        verdict.unmarked += (is_late or identity in known) and not event["replayed"]
        known.add(identity)
    return verdict


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


def _wire(file: Path) -> Iterable[tuple[float, dict[str, object]]]:
    for line in file.read_text().split("\n")[:-1]:
        received, _, payload = line.partition(" ")
        yield float(received) * 1000, json.loads(payload)


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def _anonymous_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _wait(is_so: object, timeout_s: float, *, every_s: float = 0.05) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if is_so():  # type: ignore[operator]
            return True
        time.sleep(every_s)
    return False


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--victims", default=",".join(VICTIMS))
    parser.add_argument("--rate", type=float, default=50.0, help="alerts a second")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))  # noqa: S311
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--outage", type=int, help="instead of killing: so many alerts while the broker is away")
    options = parser.parse_args()
    if options.outage:
        return _try_outage(options.folder, options.outage)
    print(f"seed {options.seed}", flush=True)
    stage = Stage(options.folder, rate=options.rate)
    began = time.monotonic()
    try:
        stage.start()
        hit = storm(stage, kills=options.kills, victims=options.victims.split(","), seed=options.seed)
        stage.stop_service()
        stage.start_service("--rate", "0.5")  # delivers what is left
        is_all = stage.wait_for_all(180.0)
        stage.stop_service()
        stage.wait_for_all(10.0)
        verdict = judge(stage, hit, time.monotonic() - began)
    finally:
        stage.end()
    print(json.dumps(asdict(verdict) | {"complete": is_all}), flush=True)
    return 0 if verdict.is_clean else 1


def _try_outage(folder: Path, alerts: int) -> int:
    stage = Stage(folder, rate=0.0)
    try:
        found = outage(stage, alerts)
        took_s = stage.stop_service()
    finally:
        stage.end()
    print(json.dumps(asdict(found) | {"stop_s": round(took_s, 1)}), flush=True)
    return 0 if found.missing == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
