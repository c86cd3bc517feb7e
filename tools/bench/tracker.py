"""How long one update of the tracker takes, by the number of things in view. Prints one JSON object.

python tools/bench/tracker.py [--updates 2000]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.core.values import Detections
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker

MISSED = 0.03
FRAME_NS = 100_000_000


def walkers(count: int, frames: int, seed: int = 1) -> list[Detections]:
    """People who walk to and fro in 1280x720, 3 % of their detections missing, boxes jittering by 2 %."""
    random = np.random.default_rng(seed)
    start = random.uniform(0, 2, (count, 2))
    speed = random.uniform(-0.006, 0.006, (count, 2))
    size = random.uniform((30, 70), (60, 140), (count, 2))
    scenes = []
    for frame in range(frames):
        there_and_back = np.abs(np.mod(start + speed * frame, 2.0) - 1.0)
        corner = there_and_back * (1200, 600)
        boxes = np.concatenate([corner, corner + size], axis=1) + random.normal(0, 0.02, (count, 4)) * size.repeat(2, 1)
        seen = random.random(count) >= MISSED
        scores = np.sort(random.uniform(0.5, 0.95, count))[::-1]
        scenes.append(Detections(boxes.astype("f4")[seen], scores.astype("f4")[seen], np.zeros(seen.sum(), "i4")))
    return scenes


def measure(count: int, updates: int) -> dict[str, float]:
    """Milliseconds of one update at ``count`` things, after 50 to settle."""
    tracker = Tracker(TrackerSettings(("person",)))
    times = []
    for number, detections in enumerate(walkers(count, updates + 50)):
        began = time.perf_counter_ns()
        tracker.update(detections, number * FRAME_NS)
        times.append((time.perf_counter_ns() - began) * 1e-6)
    steady = sorted(times[50:])
    return {"p50_ms": round(statistics.median(steady), 4), "p95_ms": round(steady[int(len(steady) * 0.95)], 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=2000)
    arguments = parser.parse_args()
    figures = {str(count): measure(count, arguments.updates) for count in (0, 1, 5, 20, 50)}
    print(json.dumps({"numpy": np.__version__, "updates": arguments.updates, "things": figures}))


if __name__ == "__main__":
    main()
