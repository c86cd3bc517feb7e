"""The publisher against a strict MQTT 5 broker that behaves badly, with counts; the short one is tests/report.

    python -m tools.faults.strict_broker --seconds 30 --garbage 1000000

Outbox, publisher process and its supervision are the service's own. One JSON line per behaviour: packets, connections,
events committed, how many of them the broker accepted or a gap named, the client's breaches of the standard, whether
the publisher's process is still the first one, and how many frames a detection loop beside it does, against the same
loop with a good broker. A broken packet ends its connection, so of a burst of garbage the client reads what stands
before the first one it can't take; all are counted. Exit code 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from edge.assemble.outbox import SpeakingKeeper, teller
from edge.client.payloads import PayloadError, read_event
from edge.core.clock import SystemClock
from edge.core.values import Message
from edge.report.outbox import Policy
from edge.report.outbox.writer import OutboxWriter
from edge.report.payloads import event_message
from edge.report.states import Delivery
from edge.report.topics import Topics
from edge.service import publishing
from edge.service.identity import Identities, new_epoch
from edge.service.letters import Setup
from edge.service.publishing import Publishing, own_publisher
from tests.fakes_report import make_event
from tests.strict_broker import Manners, StrictBroker, garbage
from tests.strict_packets import Publish
from tools.faults import hasty_publisher

TOPICS = Topics("gate")
FRAME_S = 0.01
LATE_S = 10.0
BURST = 50


@dataclass
class Noise:
    """Garbage in bursts, counted."""

    chance: random.Random
    packets: int = 0

    def __call__(self) -> bytes:
        self.packets += BURST
        return b"".join(garbage(self.chance) for _ in range(BURST))


def behaviours(chance: random.Random) -> dict[str, Manners]:
    def quota(_publish: Publish) -> int:
        return 151 if chance.random() < 0.1 else 0

    return {
        "good": Manners(),
        "receive maximum 1": Manners(receive_maximum=1),
        "maximum packet 512": Manners(maximum_packet=512),
        "maximum packet 512, not said": Manners(unsaid_maximum=512),
        "mute after CONNACK": Manners(is_mute=True),
        "acknowledges after 10 s": Manners(acks_by_hand=True),
        "disconnects each second": Manners(hang_up_after_s=1.0),
        "hangs up every 20 packets": Manners(hang_up_every=20),
        "reason 16": Manners(ack_code=lambda _publish: 16),
        "reason 134": Manners(connack=134),
        "reason 135": Manners(connack=135),
        "reason 135 to publishes": Manners(ack_code=lambda _publish: 135),
        "reason 142": Manners(hang_up_every=20, farewell=142),
        "reason 149": Manners(hang_up_every=20, farewell=149),
        "reason 151": Manners(ack_code=quota),
    }


class Device:
    """Outbox and publisher of a service, and a detection loop that only counts its frames."""

    def __init__(self, folder: Path, port: int) -> None:
        self._clock = SystemClock()
        identities = Identities("gate", new_epoch(self._clock))
        keeper = SpeakingKeeper(folder / "outbox.db", volatile_path=None, policy=Policy(), clock=self._clock)
        tell = teller(TOPICS, identities, self._clock, cameras=("yard",), backend="cpu")
        self._identities = identities
        self.outlet = Publishing(
            own_publisher(_setup(folder, port), self._clock),
            OutboxWriter(keeper, tell, clock=self._clock),
            guarantee=Delivery.ACKNOWLEDGED,
            describe=lambda _delivery: Message(TOPICS.info(), b"{}", qos=1, retain=True),
            hear=lambda _heard: None,
            clock=self._clock,
        )
        keeper.on_commit = self.outlet.committed
        self.committed: set[int] = set()
        keeper.on_entries = lambda entries: self.committed.update(entry.record.seq for entry in entries)
        self.frames = 0
        self.slowest_send_ms = 0.0
        self.outlet.open()
        self._thread = threading.Thread(target=self.outlet.run, daemon=True)
        self._thread.start()

    def detect(self, is_over: Callable[[], bool]) -> float:
        """A frame each 10 ms, a message of boxes each, an event each tenth; returns frames per second."""
        began, first = time.monotonic(), self.frames
        while not is_over():
            due = began + (self.frames - first) * FRAME_S
            time.sleep(max(0.0, due - time.monotonic()))
            self.frames += 1
            before = time.monotonic()
            self.outlet.send(Message(TOPICS.detections("yard"), b"x" * 300, expiry_s=2))
            if self.frames % 10 == 0:
                self._alert()
            self.slowest_send_ms = max(self.slowest_send_ms, (time.monotonic() - before) * 1000)
        return (self.frames - first) / (time.monotonic() - began)

    def settle(self, timeout_s: float) -> bool:
        """Give it time to bring what waits to a broker that is good now."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            standing = self.outlet.standing()
            if not standing.depth and "events_refused" not in standing.reasons:
                return True
            self.outlet.tick()
            time.sleep(0.1)
        return False

    def close(self) -> float:
        began = time.monotonic()
        self.outlet.close(is_hurried=True)
        self._thread.join(10)
        return time.monotonic() - began

    def _alert(self) -> None:
        event = replace(make_event(), id=self._identities.next())
        wall_ms = round(self._clock.utc_now().timestamp() * 1000)
        self.outlet.send(event_message(replace(event, time=replace(event.time, wall_ms=wall_ms)), TOPICS))


def _setup(folder: Path, port: int) -> Setup:
    return Setup(
        device="gate",
        host="127.0.0.1",
        port=port,
        keepalive_s=15,
        username=None,
        password=None,
        is_tls=False,
        ca=None,
        certificate=None,
        key=None,
        outbox=str(folder / "outbox.db"),
        volatile=None,
        max_bytes=Policy().max_bytes,
        consumer=None,
        log_level=logging.CRITICAL,
        boot_id=SystemClock().boot_id(),
    )


def endure(folder: Path, name: str, manners: Manners, is_over: Callable[[float], bool]) -> dict[str, object]:
    """One behaviour, then a good broker, then the end."""
    folder.mkdir()
    broker = StrictBroker(manners, keep_publishes=False)
    device = Device(folder, broker.port)
    broker.wait_until(lambda book: bool(book.connects), 60.0)
    publisher, began, over = device.outlet.publisher_pid, time.monotonic(), threading.Event()
    if manners.acks_by_hand:
        threading.Thread(target=_release_late, args=(broker, over), daemon=True).start()
    rate = device.detect(lambda: is_over(time.monotonic() - began))
    over.set()
    broker.manners = Manners()
    broker.release(1_000_000)
    broker.hang_up()  # what it holds against us is forgotten with the connection
    is_settled = device.settle(90.0)
    is_first = publisher is not None and device.outlet.publisher_pid == publisher
    closed_s = device.close()
    broker.close()
    book = broker.book
    taken, named = accounted(book.accepted)
    return {
        "behaviour": name,
        "packets": book.packets,
        "connects": len(book.connects),
        "events": len(device.committed),
        "accepted": len(device.committed & taken),
        "named_as_lost": len(device.committed & named - taken),
        "missing": len(device.committed - taken - named),
        "breaches": book.breaches[:5],
        "is_settled": is_settled,
        "same_process": is_first,
        "frames_per_s": round(rate, 3),
        "slowest_send_ms": round(device.slowest_send_ms, 2),
        "close_s": round(closed_s, 2),
    }


def accounted(payloads: Iterable[bytes]) -> tuple[set[int], set[int]]:
    """Numbers of events that were accepted, and those that accepted events name as lost."""
    taken: set[int] = set()
    named: set[int] = set()
    for payload in payloads:
        try:
            event = read_event(TOPICS.event("yard"), payload)
        except PayloadError:
            continue  # state, detections
        taken.add(event.seq)
        if event.lost is not None:
            named.update(number for first, last in event.lost.ranges for number in range(first, (last or first) + 1))
    return taken, named


def _release_late(broker: StrictBroker, over: threading.Event) -> None:
    """Acknowledges what came in so far every 10 s: just when the client would give up."""
    while not over.wait(LATE_S * 0.95):
        broker.release(20)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="per behaviour (default %(default)s)")
    parser.add_argument("--garbage", type=int, default=1_000_000, help="packets of garbage (default %(default)s)")
    parser.add_argument("--most-seconds", type=float, default=1800.0, help="for the garbage (default %(default)s)")
    parser.add_argument("--only", help="behaviours by name, with semicolons between; a good broker always comes first")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - to be repeated, not to be secret
    logging.basicConfig(level=logging.ERROR)
    os.environ[hasty_publisher.PACE] = json.dumps(
        {"backoff_first_s": 0.005, "backoff_longest_s": 0.02, "refused_s": 1.0, "connect_s": 2.0}
    )
    publishing.MODULE = hasty_publisher.MODULE
    is_good = True
    baseline = 0.0
    noise = Noise(chance)
    tried = {**behaviours(chance), "garbage": Manners(noise=noise)}
    if options.only:
        tried = {name: tried[name] for name in ("good", *options.only.split(";"))}
    with tempfile.TemporaryDirectory(prefix="edge-strict-") as folder:
        for number, (name, manners) in enumerate(tried.items()):
            is_garbage = name == "garbage"
            longest_s = options.most_seconds if is_garbage else options.seconds
            found = endure(
                Path(folder) / str(number),
                name,
                manners,
                lambda elapsed, is_garbage=is_garbage, longest_s=longest_s: (  # type: ignore[misc]
                    elapsed >= longest_s or (is_garbage and noise.packets >= options.garbage)
                ),
            )
            if is_garbage:
                found["garbage_packets"] = noise.packets
            baseline = baseline or float(str(found["frames_per_s"]))
            is_good &= _is_good(found, baseline)
            print(json.dumps(found), flush=True)
    return 0 if is_good else 1


def _is_good(found: dict[str, object], baseline: float) -> bool:
    is_whole = not found["missing"] and bool(found["is_settled"])
    rate = float(str(found["frames_per_s"])) / baseline
    return not found["breaches"] and bool(found["same_process"]) and is_whole and rate > 0.99


if __name__ == "__main__":
    sys.exit(main())
