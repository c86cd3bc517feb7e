"""A million frames through the whole service, as fast as they go: what it holds more at the end than at the beginning.

    python -m tools.faults.soak --frames 1000000 [--folder F]

``edge run`` with its children, a made-up scene, a model of two kilobytes, zones, lines and every kind of rule, a local
mosquitto and a consumer. The frames' own clock makes ten of them a second, so a million are 28 hours. After each
hundredth part is written down what every process holds; the slope is fitted to the second half, by Theil and Sen, so
that a single step does not count as a climb.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from tools.demonstration.broker import local_broker
from tools.faults.red_model import NAME, write_red_model

_CHECKOUT = Path(__file__).resolve().parents[2]
_SAMPLES = 100
_FPS = 10
_MOST_KB = 1.0  # per 100,000 frames


@dataclass(frozen=True, slots=True)
class Trend:
    """What one process holds; memory in kB, the slope for 100,000 frames. descriptors, threads : fewest and most"""

    name: str
    first_kb: int
    last_kb: int
    slope_kb: float
    descriptors: tuple[int, int]
    threads: tuple[int, int]
    processes: int


def soak(folder: Path, frames: int) -> list[dict[str, Any]]:
    """Run it; returns what was written down."""
    folder.mkdir(parents=True, exist_ok=True)
    write_red_model(folder / "models")
    ledger = folder / "ledger"
    ledger.unlink(missing_ok=True)
    with local_broker(folder) as port, (folder / "log").open("wb") as log:
        config = _write_config(folder, port, frames)
        listen = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", "edge/#", "-F", "%t"]
        command = [sys.executable, "-m", "tools.faults.soaked", str(ledger), str(frames // _SAMPLES), str(config)]
        with (folder / "heard").open("wb") as heard:
            listener = subprocess.Popen(listen, stdout=heard)
            environment = {
                **os.environ,
                "EDGE_MODELS": str(folder / "models"),
                "EDGE_SOAK_PUBLISHER": str(folder / "publisher"),
            }
            subprocess.run(command, cwd=_CHECKOUT, env=environment, stderr=log, check=True)
            listener.terminate()
            listener.wait(10)
    return [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]


def trends(samples: Sequence[dict[str, Any]]) -> list[Trend]:
    """Of each process over the second half, as long as all are there."""
    settled = [each for each in samples[len(samples) // 2 :] if "capture" in each]
    names = [name for name in settled[0] if isinstance(settled[0][name], list)]
    return [_trend(name, [each for each in settled if name in each]) for name in names]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between all pairs (Theil 1950, Sen 1968)."""
    return statistics.median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2))


def _trend(name: str, samples: Sequence[dict[str, Any]]) -> Trend:
    descriptors, threads, memory = ([each[name][place] for each in samples] for place in range(3))
    return Trend(
        name,
        memory[0],
        memory[-1],
        slope([(each["frames"] / 1e5, each[name][2]) for each in samples]),
        (min(descriptors), max(descriptors)),
        (min(threads), max(threads)),
        len({tuple(each[name][4:]) for each in samples}),
    )


def _write_config(folder: Path, port: int, frames: int) -> Path:
    square = [[0.25, 0.1], [0.75, 0.1], [0.75, 0.9], [0.25, 0.9]]
    rules = {
        "somebody": {"when": "appear", "label": "person", "cooldown_seconds": 30},
        "gone": {"when": "leave", "label": "vehicle", "cooldown_seconds": 60},
        "in": {"when": "enter", "zone": "middle", "label": "person", "cooldown_seconds": 30},
        "out": {"when": "exit", "zone": "middle", "label": "animal", "cooldown_seconds": 30},
        "stay": {"when": "dwell", "zone": "middle", "seconds": 3},
        "many": {"when": "count", "label": "person", "count": 2, "seconds": 1},
        "nobody": {"when": "absence", "label": "animal", "seconds": 20},
        "over": {"when": "cross", "line": "door"},
    }
    camera = {
        "source": f"synthetic:?width=96&height=96&objects=6&fps={_FPS}&seconds={frames / _FPS:g}",
        "pace": "fast",
        "publish_detections": True,
        "zones": {"middle": square},
        "lines": {"door": {"from": [0.5, 0.0], "to": [0.5, 1.0]}},
        "rules": rules,
    }
    settings = {
        "device": "gate",
        "model": NAME,
        "threads": 1,
        "broker": {"host": "127.0.0.1", "port": port},
        "outbox": {"path": str(folder / "outbox.db"), "max_megabytes": 8},
        "health": {"interval_seconds": 5},
        "governor": {"enabled": False},  # nothing is spared on a busy machine
        "home_assistant": {"enabled": True},
        "cameras": {"yard": camera},
    }
    config = folder / "edge.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return config


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        samples = soak(folder, options.frames)
        messages = sum(1 for _ in (folder / "heard").open("rb"))
    seconds = samples[-1]["at_s"] - samples[0]["at_s"]
    per_s = (samples[-1]["frames"] - samples[0]["frames"]) / seconds
    print(f"{options.frames} frames, {per_s:.0f} a second; {messages} messages heard")
    return tell(trends(samples), samples)


def tell(found: Sequence[Trend], samples: Sequence[dict[str, Any]]) -> int:
    print("| process | memory, kB | kB per 100,000 frames | descriptors | threads | processes |\n|" + " --- |" * 6)
    for each in found:
        low, high = each.descriptors, each.threads
        print(
            f"| {each.name} | {each.first_kb} to {each.last_kb} | {each.slope_kb:+.2f} "
            f"| {low[0]} to {low[1]} | {high[0]} to {high[1]} | {each.processes} |"
        )
    settled = samples[len(samples) // 2 :]
    for name, unit in (("blocks", "Python's blocks"), ("malloc_bytes", "bytes from malloc")):
        risen = slope([(each["frames"] / 1e5, each[name]) for each in settled])
        print(f"main: {unit} {settled[0][name]} to {settled[-1][name]}, {risen:+.1f} per 100,000 frames")
    return 0 if all(each.slope_kb <= _MOST_KB for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
