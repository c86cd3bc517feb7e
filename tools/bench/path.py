#!/usr/bin/env python3
"""From a frame's capture to its message at a subscriber, through the running service and a real mosquitto.

Prints quantiles in milliseconds: the whole way, the whole way without the model's run on the same frame, and its parts.
The service is told to leave its times unrounded; nothing else in it is changed.

    python tools/bench/path.py [--model edge-default] [--fps 20] [--frames 400] [--threads auto] [--size 640x480]
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tools.demonstration.broker import local_broker
from tools.simulation.wire import CONNACK, PUBLISH, SUBACK, hello, length, packets, text

_TOPIC = b"edge/path/camera/yard/detections"
_LEAD_IN = 40
PATIENCE_S = 60.0
_SERVICE = """
import sys
from edge.report import payloads
from edge.service import identity
from edge.core.events import EventTime

def exact(times):
    return {name: getattr(times, name) for name in ("capture", "preprocess", "infer", "decode", "total")}

def when(at, monotonic_ns, clock):
    return EventTime(round(at.timestamp() * 1000), monotonic_ns / 1e6, clock.boot_id(), clock.is_synced())

payloads._latency, identity._time = exact, when
from edge.cli import main
main(["run", "--config", sys.argv[1]])
"""


def main() -> int:
    wanted = options(__doc__ or "")
    with tempfile.TemporaryDirectory() as name, local_broker(Path(name)) as port:
        listener = subscribe(port)
        config = write_config(Path(name), port, wanted)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        service = subprocess.Popen([sys.executable, "-c", _SERVICE, str(config)], env=environment)
        try:
            frames = _listen(listener, wanted.frames + _LEAD_IN)[_LEAD_IN:]
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait()
    _show(frames)
    return 0


def subscribe(port: int) -> socket.socket:
    listener = socket.create_connection(("127.0.0.1", port))
    listener.sendall(hello("subscriber"))
    body = b"\0\1\0" + text(_TOPIC) + b"\0"
    _await(listener, CONNACK)
    listener.sendall(b"\x82" + length(len(body)) + body)
    _await(listener, SUBACK)
    return listener


def _await(listener: socket.socket, kind: int) -> None:
    buffer = bytearray()
    while not any(first >> 4 == kind for first, _ in packets(buffer)):
        buffer += listener.recv(65536)


def write_config(folder: Path, port: int, options: argparse.Namespace) -> Path:
    width, _, height = options.size.partition("x")
    camera = {
        "source": "synthetic:",
        "fps": options.fps,
        "size": [int(width), int(height)],
        "publish_detections": True,
    }
    path = folder / "edge.yaml"
    settings: dict[str, Any] = {
        "device": "path",
        "broker": {"host": "127.0.0.1", "port": port},
        "model": options.model,
        "threads": options.threads if options.threads == "auto" else int(options.threads),
        "cameras": {"yard": camera},
        "outbox": {"path": str(folder / "outbox.db")},
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def _listen(listener: socket.socket, count: int) -> list[dict[str, float]]:
    frames: list[dict[str, float]] = []
    buffer = bytearray()
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    while len(frames) < count:
        if not poller.poll(PATIENCE_S * 1000):
            raise SystemExit(f"nothing came for {PATIENCE_S:.0f} s; {len(frames)} frames so far")
        buffer += listener.recv(65536)
        now_ms = time.monotonic_ns() / 1e6
        frames += [_times(body, now_ms) for first, body in packets(buffer) if first >> 4 == PUBLISH]
    return frames


def _times(body: bytes, now_ms: float) -> dict[str, float]:
    told = json.loads(body[body.index(b"{") :])
    stages: dict[str, float] = told["latency_ms"]
    whole = now_ms - told["time"]["monotonic_ms"]
    return {
        "whole": whole,
        "without the run": whole - stages["infer"],
        "to the model": stages["capture"],
        "preprocess": stages["preprocess"],
        "infer": stages["infer"],
        "decode": stages["decode"],
        "model to subscriber": whole - stages["total"],
    }


def _show(frames: list[dict[str, float]]) -> None:
    print(f"{'ms':<22}{'p50':>8}{'p90':>8}{'p99':>8}   of {len(frames)} frames")
    for name in frames[0]:
        cuts = statistics.quantiles([frame[name] for frame in frames], n=100, method="inclusive")
        print(f"{name:<22}{cuts[49]:8.2f}{cuts[89]:8.2f}{cuts[98]:8.2f}")


def options(words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="edge-default")
    parser.add_argument("--fps", type=float, default=20.0)
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--threads", default="auto")
    parser.add_argument("--size", default="640x480")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
