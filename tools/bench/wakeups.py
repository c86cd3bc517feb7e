#!/usr/bin/env python3
"""What this machine takes for the steps of a frame's way when nothing of ours is in them: the floor of the latency.

Bare processes that wait for one another after a pause, with the machine otherwise idle: one that sleeps until a time, a
byte handed from process to process, one message through mosquitto to a subscriber, and a picture made small once. Each
line is in milliseconds, median, p90 and p99; "rested" is after the pause, "busy" the same again and again without one.

    python tools/bench/wakeups.py [--pause-ms 50] [--times 200]
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.demonstration.broker import local_broker
from tools.simulation.wire import CONNACK, PUBLISH, SUBACK, hello, length, packets, text

_TOPIC = b"edge/wakeups"
_STAMP = struct.Struct("q")
_LEAD_IN = 10
_HANDS = 4  # a frame's way has five processes: camera, service, model, service, publisher


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pause-ms", type=float, default=50.0)
    parser.add_argument("--times", type=int, default=200)
    options = parser.parse_args()
    print(f"{'ms':<44}{'p50':>8}{'p90':>8}{'p99':>8}")
    for pause_s, word in ((options.pause_ms / 1e3, "rested"), (0.0, "busy")):
        if pause_s:
            show("a sleep that ends too late", [oversleep_ms(pause_s) for _ in range(options.times)])
        show(f"one byte to one process, {word}", hand_on(1, pause_s, options.times))
        show(f"one byte through {_HANDS} processes, {word}", hand_on(_HANDS, pause_s, options.times))
        show(f"a message through mosquitto, {word}", through_broker(pause_s, options.times))
        show(f"640x480 made 300x300, {word}", shrink(pause_s, options.times))
    return 0


def show(name: str, values: list[float]) -> None:
    cuts = statistics.quantiles(values[_LEAD_IN:], n=100, method="inclusive")
    print(f"{name:<44}{cuts[49]:8.3f}{cuts[89]:8.3f}{cuts[98]:8.3f}", flush=True)


def oversleep_ms(pause_s: float) -> float:
    due_ns = time.monotonic_ns() + round(pause_s * 1e9)
    time.sleep(pause_s)
    return (time.monotonic_ns() - due_ns) / 1e6


def hand_on(count: int, pause_s: float, times: int) -> list[float]:
    """From just before the first writes until the last has read; every one of them waits in ``poll``."""
    ends = [socket.socketpair() for _ in range(count)]
    answer, told = os.pipe()
    children = [in_child(lambda at=at: pass_on(ends[at][1], ends[at + 1][0] if at + 1 < count else None, told))
                for at in range(count)]  # fmt: skip

    def once() -> float:
        began_ns = time.monotonic_ns()
        ends[0][0].send(b"x")
        (arrived_ns,) = _STAMP.unpack(os.read(answer, _STAMP.size))
        return (arrived_ns - began_ns) / 1e6

    try:
        return repeat(once, pause_s, times)
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
        for one, other in ends:
            one.close()
            other.close()


def pass_on(inlet: socket.socket, outlet: socket.socket | None, told: int) -> None:
    poller = select.poll()
    poller.register(inlet, select.POLLIN)
    while poller.poll():
        if inlet.recv(16) and outlet is not None:
            outlet.send(b"x")
        else:
            os.write(told, _STAMP.pack(time.monotonic_ns()))


def through_broker(pause_s: float, times: int) -> list[float]:
    """From just before the packet is written until the subscriber, another process, has it."""
    answer, told = os.pipe()
    with tempfile.TemporaryDirectory() as name, local_broker(Path(name)) as port:
        subscriber = connect(port, "subscriber")
        body = b"\0\1\0" + text(_TOPIC) + b"\0"
        subscriber.sendall(b"\x82" + length(len(body)) + body)
        expect(subscriber, SUBACK)
        child = in_child(lambda: receive(subscriber, told))
        publisher = connect(port, "publisher")
        body = text(_TOPIC) + b"\0" + bytes(500)
        packet = b"\x30" + length(len(body)) + body

        def once() -> float:
            began_ns = time.monotonic_ns()
            publisher.send(packet)
            (arrived_ns,) = _STAMP.unpack(os.read(answer, _STAMP.size))
            return (arrived_ns - began_ns) / 1e6

        try:
            return repeat(once, pause_s, times)
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)


def receive(subscriber: socket.socket, told: int) -> None:
    buffer = bytearray()
    while content := subscriber.recv(65536):
        now_ns = time.monotonic_ns()
        buffer += content
        for first, _ in packets(buffer):
            if first >> 4 == PUBLISH:
                os.write(told, _STAMP.pack(now_ns))


def connect(port: int, name: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(hello(name))
    expect(sock, CONNACK)
    return sock


def expect(sock: socket.socket, kind: int) -> None:
    buffer = bytearray()
    while not any(first >> 4 == kind for first, _ in packets(buffer)):
        buffer += sock.recv(65536)


def shrink(pause_s: float, times: int) -> list[float]:
    cv2.setNumThreads(1)
    picture = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    small = np.empty((300, 300, 3), np.uint8)

    def once() -> float:
        began_ns = time.monotonic_ns()
        cv2.resize(picture, (300, 300), dst=small, interpolation=cv2.INTER_LINEAR)
        return (time.monotonic_ns() - began_ns) / 1e6

    return repeat(once, pause_s, times)


def repeat(once: Callable[[], float], pause_s: float, times: int) -> list[float]:
    found = []
    for _ in range(times + _LEAD_IN):
        time.sleep(pause_s)
        found.append(once())
    return found


def in_child(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


if __name__ == "__main__":
    sys.exit(main())
