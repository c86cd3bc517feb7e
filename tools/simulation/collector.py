"""The subscriber, a process of its own: what arrived, how late, what was lost."""

from __future__ import annotations

import json
import socket
import sys
import time

from tools.simulation.histogram import Histogram
from tools.simulation.wire import (
    END_TOPIC,
    PUBLISH,
    STAMP,
    SUBACK,
    hello,
    length,
    packets,
    publish_bytes,
    text,
    topic_of,
)


class Collection:
    """What has arrived: latency, repeats, and which numbers of which camera."""

    def __init__(self, qos: int, cameras: int, count: int, size: int) -> None:
        self._seen = [bytearray(count + 2) for _ in range(cameras)]
        self._latency = Histogram()
        self.received = self.repeated = 0
        # all publishes are of one shape: looked at in place, for at 20,000 a second each copy counts
        self._head = bytes([0x30 | qos << 1]) + length(publish_bytes(0, qos, size))
        self._whole = len(self._head) + publish_bytes(0, qos, size)
        self._at_number = len(self._head) + 2 + len(topic_of(0, qos))
        self._at_stamp = self._at_number + (2 if qos else 0) + 1
        self._qos = qos

    def take(self, buffer: bytearray) -> bytearray:
        """Remove the whole publishes at the front of a buffer; returns their acknowledgements."""
        answers, at, now_ns = bytearray(), 0, time.monotonic_ns()
        head, size = self._head, len(self._head)
        # a broker may set DUP and must not set RETAIN here; the first byte is compared without DUP
        while (
            at + self._whole <= len(buffer) and buffer[at] & 0xF7 == head[0] and buffer[at + 1 : at + size] == head[1:]
        ):
            camera, number, sent_ns = STAMP.unpack_from(buffer, at + self._at_stamp)
            self._latency.add(now_ns - sent_ns)
            self.repeated += self._seen[camera][number]
            self.received += 1 - self._seen[camera][number]
            self._seen[camera][number] = 1
            if self._qos:
                answers += b"\x40\x02" + buffer[at + self._at_number : at + self._at_number + 2]
            at += self._whole
        del buffer[:at]
        return answers

    def figures(self) -> dict[str, object]:
        return {
            "received": self.received,
            "repeated": self.repeated,
            "latency": self._latency.counts(),
            "cpu_s": time.process_time(),
        }


def collect(port: int, qos: int, cameras: int, count: int, size: int, number: int, collectors: int) -> None:
    """Latency and loss of everything that comes here, as JSON at the end.

    number, collectors : which one this is of how many; several share what comes, each message goes to one of them
    """
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    kind = b"event" if qos else b"detections"
    share = b"$share/collectors/" if collectors > 1 else b""
    filters = text(share + b"edge/+/camera/+/" + kind) + bytes([qos]) + text(END_TOPIC) + b"\x01"
    connection.sendall(hello(f"collector{number}") + b"\x82" + length(3 + len(filters)) + b"\x00\x01\x00" + filters)
    collection, buffer = Collection(qos, cameras, count, size), bytearray()
    while data := connection.recv(1 << 18):
        buffer += data
        answers = collection.take(buffer)
        if answers:
            connection.sendall(answers)
        if len(buffer) < 2 or (buffer[0] & 0xF7 == 0x30 | qos << 1 and END_TOPIC not in buffer):
            continue  # the rest of a publish is on its way
        for head, body in packets(buffer):
            if head >> 4 == SUBACK:
                print("ready", flush=True)
            if head >> 4 == PUBLISH and END_TOPIC in body[: 2 + len(END_TOPIC)]:
                print(json.dumps(collection.figures()), flush=True)
                return


if __name__ == "__main__":
    collect(*map(int, sys.argv[1:8]))
