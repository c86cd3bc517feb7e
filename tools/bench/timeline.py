#!/usr/bin/env python3
"""Where a frame's time goes on its way from the camera to a subscriber, step by step, in the running service.

For each step its own milliseconds and those since the frame was due: median, p90 and p99. The same set-up as ``path``.

    python tools/bench/timeline.py [--model edge-default] [--fps 20] [--frames 400] [--threads auto] [--size 640x480]
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.bench import path
from tools.bench.stamping import FRAMES, SIZE, STAGES, Stamps, told_sequence
from tools.demonstration.broker import local_broker
from tools.simulation.wire import PUBLISH, packets

_LEAD_IN = 40


def main() -> int:
    options = path.options(__doc__ or "")
    if options.frames + _LEAD_IN > FRAMES:
        raise SystemExit(f"--frames: expected {FRAMES - _LEAD_IN} at most")
    descriptor = os.memfd_create("stamps")
    os.ftruncate(descriptor, SIZE)
    os.set_inheritable(descriptor, True)
    stamps = Stamps(descriptor)
    with tempfile.TemporaryDirectory() as name, local_broker(Path(name)) as port:
        listener = path.subscribe(port)
        config = path.write_config(Path(name), port, options)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "tools.bench.stamping", str(descriptor), str(config)]
        service = subprocess.Popen(command, env=environment, pass_fds=(descriptor,))
        try:
            told = _listen(listener, options.frames + _LEAD_IN, stamps)[_LEAD_IN:]
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait()
    show(stamps, told)
    return 0


def _listen(listener: socket.socket, count: int, stamps: Stamps) -> list[int]:
    told: list[int] = []
    buffer = bytearray()
    listener.settimeout(path.PATIENCE_S)
    while len(told) < count:
        buffer += listener.recv(65536)
        now_ns = time.monotonic_ns()
        for first, body in packets(buffer):
            number = told_sequence(body) if first >> 4 == PUBLISH else None
            if number is not None:
                stamps.put("received", number, now_ns)
                told.append(number)
    return told


def show(stamps: Stamps, told: list[int]) -> None:
    rows = {stage: stamps.row(stage) for stage in STAGES}
    whole = [number for number in told if all(rows[stage][number % FRAMES] for stage in STAGES)]
    print(f"{'ms':<20}{'p50':>8}{'p90':>8}{'p99':>8}{'since due':>12}   of {len(whole)} frames")
    for before, stage in itertools.pairwise(STAGES):
        steps = [(rows[stage][each % FRAMES] - rows[before][each % FRAMES]) / 1e6 for each in whole]
        since = [(rows[stage][each % FRAMES] - rows["due"][each % FRAMES]) / 1e6 for each in whole]
        _line(stage, steps, f"{statistics.median(since):12.2f}")
    rest = [sum(sign * rows[stage][each % FRAMES] for stage, sign in _BESIDE_THE_RUN.items()) / 1e6 for each in whole]
    _line("without the run", rest, "")


_BESIDE_THE_RUN = {"received": 1, "due": -1, "ran": -1, "filled": 1}


def _line(name: str, values: list[float], rest: str) -> None:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    print(f"{name:<20}{cuts[49]:8.3f}{cuts[89]:8.3f}{cuts[98]:8.3f}{rest}")


if __name__ == "__main__":
    sys.exit(main())
