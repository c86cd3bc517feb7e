#!/usr/bin/env python3
"""One camera against several on one model, through the running service: frames/s of all, and who gets how many.

Each camera plays the clip again and again, in its own process, as fast as its frames are looked at; one camera and
several are measured in turns, and ratios are taken within a turn.

    python tools/bench/cameras.py CLIP [--model edge-default] [--cameras 4] [--threads 1] [--seconds 6] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

_LEAD_IN = 20  # frames of each camera until buffers and caches are what they stay
_LOOK_S = 0.2
_SERVICE = """
import collections, json, sys, time
from edge.service.pipeline import Pipeline
process = Pipeline.process
seen = collections.Counter()
def count(self, sighting):
    seen[sighting.frame.camera] += 1
    return process(self, sighting)
Pipeline.process = count
import signal, threading
def tell(*_):
    print(json.dumps([time.monotonic(), seen]), flush=True)
signal.signal(signal.SIGUSR1, tell)
tell()
from edge.cli import main
main(["run", "--config", sys.argv[1]])
"""


def main() -> None:
    options = _options()
    rounds = []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(options.rounds):
            one, several = (_run(Path(name), count, options) for count in (1, options.cameras))
            rounds.append((sum(one.values()), sum(several.values()), max(several.values()) / min(several.values())))
            print(
                f"1 camera {rounds[-1][0]:.1f} frames/s, {options.cameras}: {rounds[-1][1]:.1f}; each {_told(several)}"
            )
    ratio, spread = (statistics.median(values) for values in ([b / a for a, b, _ in rounds], [s for *_, s in rounds]))
    print(f"together {ratio:.3f} of one camera; the most by the least of them {spread:.3f} (medians of {len(rounds)})")


def _run(folder: Path, count: int, options: argparse.Namespace) -> dict[str, float]:
    """Frames/s by camera."""
    config = _write_config(folder, count, options)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", _SERVICE, str(config)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as service:
        assert service.stdout is not None
        began, before = json.loads(service.stdout.readline())
        while len(before) < count or min(before.values()) < _LEAD_IN:
            time.sleep(_LOOK_S)
            began, before = _ask(service)
        time.sleep(options.seconds)
        ended, after = _ask(service)
        service.terminate()
    return {camera: (seen - before[camera]) / (ended - began) for camera, seen in after.items()}


def _ask(service: subprocess.Popen[str]) -> tuple[float, dict[str, int]]:
    """The time, and the frames of each camera so far."""
    assert service.stdout is not None
    service.send_signal(signal.SIGUSR1)
    at_s, seen = json.loads(service.stdout.readline())
    return at_s, seen


def _write_config(folder: Path, count: int, options: argparse.Namespace) -> Path:
    camera = {"source": str(options.clip.absolute()), "loop": True, "pace": "fast"}
    settings: dict[str, Any] = {
        "device": "cameras",
        "broker": {"host": "127.0.0.1", "port": 9},
        "model": options.model,
        "threads": options.threads,
        "cameras": {f"camera{number}": camera for number in range(count)},
        "outbox": {"path": str(folder / "outbox.db")},
    }
    path = folder / f"edge-{count}.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def _told(rates: dict[str, float]) -> str:
    return ", ".join(f"{each:.1f}" for each in rates.values())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--model", default="edge-default")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
