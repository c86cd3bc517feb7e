"""The long version of tests/report/test_mqtt_strict.py: a strict MQTT 5 broker that behaves badly, with counts.

    python -m tools.faults.strict_broker --seconds 20 --garbage 1000000

One JSON line per behaviour: packets, connections, events sent and accepted, the client's breaches of the standard,
whether its thread lives, and how many frames a detection loop beside it does, against the same loop with a good broker.
A broken packet ends its connection, so of a burst of garbage the client reads what stands before the first one it
can't take; all are counted. Exit code 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.core.clock import SystemClock
from edge.core.values import Message
from edge.report.mqtt import MqttSink
from edge.report.topics import Topics
from edge.wire.settings import BrokerSettings, Pace
from tests.strict_broker import Manners, StrictBroker, garbage
from tests.strict_packets import Publish

TOPICS = Topics("gate")
FRAME_S = 0.01
PACE = Pace(backoff_first_s=0.005, backoff_longest_s=0.02, refused_s=1.0, connect_s=2.0, acknowledge_s=10.0)
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
        "mute after CONNACK": Manners(is_mute=True),
        "acknowledges after 10 s": Manners(acks_by_hand=True),
        "hangs up every 20 packets": Manners(hang_up_every=20),
        "reason 16": Manners(ack_code=lambda _publish: 16),
        "reason 134": Manners(connack=134),
        "reason 135": Manners(connack=135),
        "reason 135 to publishes": Manners(ack_code=lambda _publish: 135),
        "reason 142": Manners(hang_up_every=20, farewell=142),
        "reason 151": Manners(ack_code=quota),
    }


class Detector:
    """Stands for the detection loop: a frame each 10 ms, a box message each, an event each tenth; counts frames."""

    def __init__(self, sink: MqttSink) -> None:
        self._sink = sink
        self.frames = 0
        self.events = 0
        self.slowest_send_ms = 0.0

    def run(self, is_over: Callable[[], bool]) -> float:
        """Returns frames per second."""
        began = time.monotonic()
        while not is_over():
            due = began + self.frames * FRAME_S
            time.sleep(max(0.0, due - time.monotonic()))
            self.frames += 1
            before = time.monotonic()
            self._sink.send(Message(TOPICS.detections("yard"), b"x" * 300, expiry_s=2))
            if self.frames % 10 == 0:
                self.events += 1
                size = 600 if self.events % 50 == 0 else 200
                self._sink.send(Message(TOPICS.event("yard"), f"{self.events:08}".encode() + b"." * size, qos=1))
            self.slowest_send_ms = max(self.slowest_send_ms, (time.monotonic() - before) * 1000)
        return self.frames / (time.monotonic() - began)


def endure(name: str, manners: Manners, is_over: Callable[[StrictBroker, float], bool]) -> dict[str, object]:
    """One behaviour, then a good broker for a moment, then the end."""
    broker = StrictBroker(manners, keep_publishes=False)
    sink = MqttSink(BrokerSettings("127.0.0.1", broker.port), topics=TOPICS, clock=SystemClock(), pace=PACE)
    sink.open()
    thread = threading.Thread(target=sink.run, daemon=True)
    thread.start()
    began = time.monotonic()
    detector = Detector(sink)
    over = threading.Event()
    if manners.acks_by_hand:
        threading.Thread(target=_release_late, args=(broker, over), daemon=True).start()
    rate = detector.run(lambda: is_over(broker, time.monotonic() - began))
    over.set()
    is_alive = thread.is_alive()
    broker.manners = Manners()
    broker.release(1_000_000)
    _settle(sink)
    closing = time.monotonic()
    sink.close()
    closed_s = time.monotonic() - closing
    stats = sink.stats()
    broker.close()
    book = broker.book
    return {
        "behaviour": name,
        "packets": book.packets,
        "connects": len(book.connects),
        "events": detector.events,
        "accepted": sum(1 for payload in book.accepted if payload[:8].isdigit()),
        "oversize": stats.drops.oversize,
        "denied": stats.drops.denied,
        "waiting": stats.waiting_events,
        "breaches": book.breaches[:5],
        "thread_lives": is_alive,
        "frames_per_s": round(rate, 3),
        "slowest_send_ms": round(detector.slowest_send_ms, 2),
        "close_s": round(closed_s, 2),
    }


def _release_late(broker: StrictBroker, over: threading.Event) -> None:
    """Acknowledges what came in so far every 10 s: just when the client would give up."""
    while not over.wait(LATE_S * 0.95):
        broker.release(20)


def _settle(sink: MqttSink) -> None:
    """Give it a minute to bring what waits to the good broker."""
    for _ in range(600):
        stats = sink.stats()
        if stats.is_connected and not stats.waiting_events and not stats.in_flight:
            return
        time.sleep(0.1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="per behaviour (default %(default)s)")
    parser.add_argument("--garbage", type=int, default=1_000_000, help="packets of garbage (default %(default)s)")
    parser.add_argument("--most-seconds", type=float, default=1800.0, help="for the garbage (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - to be repeated, not to be secret
    logging.basicConfig(level=logging.ERROR)
    is_good = True
    baseline = 0.0
    for name, manners in behaviours(chance).items():
        found = endure(name, manners, lambda _broker, elapsed: elapsed >= options.seconds)
        baseline = baseline or float(str(found["frames_per_s"]))
        is_good &= _is_good(found, baseline)
        print(json.dumps(found), flush=True)
    noise = Noise(chance)
    found = endure(
        "garbage",
        Manners(noise=noise),
        lambda _broker, elapsed: noise.packets >= options.garbage or elapsed >= options.most_seconds,
    )
    print(json.dumps({**found, "garbage_packets": noise.packets}), flush=True)
    return 0 if is_good and _is_good(found, baseline) else 1


def _is_good(found: dict[str, object], baseline: float) -> bool:
    arrived = int(str(found["accepted"])) + int(str(found["oversize"])) + int(str(found["denied"]))
    is_whole = arrived + int(str(found["waiting"])) >= int(str(found["events"]))
    rate = float(str(found["frames_per_s"])) / baseline
    return not found["breaches"] and bool(found["thread_lives"]) and is_whole and rate > 0.99


if __name__ == "__main__":
    sys.exit(main())
