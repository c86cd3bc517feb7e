"""How long one update of the rules takes, by the number of things in view. Prints one JSON object.

python tools/bench/rules.py [--updates 2000]

Three zones, two lines and eight rules, one of each kind; all things move.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.core.values import Box, Frame, Track
from edge.track.rulebook import Layout, RuleBook
from edge.track.rules.absence import Absence
from edge.track.rules.appear import Appear
from edge.track.rules.count import Count
from edge.track.rules.cross import Cross
from edge.track.rules.dwell import Dwell
from edge.track.rules.enter import Enter
from edge.track.rules.exit import Exit
from edge.track.rules.leave import Leave
from edge.track.rules.terms import Terms

WIDTH, HEIGHT = 1280, 720
FRAME_NS = 100_000_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def rule_book() -> RuleBook:
    def terms(name: str, zone: str | None = None) -> Terms:
        return Terms(name, label="person", zone=zone, cooldown_s=10.0)

    layout = Layout(
        zones={
            "left": [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)],
            "middle": [(0.25, 0.2), (0.6, 0.1), (0.75, 0.5), (0.7, 0.9), (0.3, 0.8)],
            "low": [(0.0, 0.6), (1.0, 0.6), (1.0, 1.0), (0.0, 1.0)],
        },
        lines={"upright": ((0.5, 0.0), (0.5, 1.0)), "slanted": ((0.1, 0.2), (0.9, 0.8))},
        labels=("person", "car"),
    )
    rules = [
        Appear(terms("appear")),
        Leave(terms("leave")),
        Enter(terms("enter", "middle")),
        Exit(terms("exit", "middle")),
        Dwell(terms("dwell", "left"), 5.0),
        Count(terms("count", "middle"), 3, 0.0),
        Absence(terms("absence", "low"), 60.0),
        Cross(terms("cross"), "upright"),
    ]
    return RuleBook(layout, rules)


def walks(count: int, frames: int, seed: int = 1) -> list[tuple[Track, ...]]:
    """People who cross the picture; one in thirty is out of sight."""
    random = np.random.default_rng(seed)
    start, speed = random.uniform((0, 0), (WIDTH, HEIGHT), (count, 2)), random.uniform(-4, 4, (count, 2))
    size = random.uniform((30, 70), (60, 140), (count, 2))
    last_seen = np.zeros(count, np.int64)
    scenes = []
    for number in range(frames):
        now_ns = number * FRAME_NS
        last_seen = np.where(random.random(count) < 1 / 30, last_seen, now_ns)
        corner = np.mod(start + speed * number, (WIDTH, HEIGHT))
        boxes = np.concatenate([corner, corner + size], axis=1).tolist()
        scenes.append(
            tuple(
                Track(i + 1, 0, "person", 0.8, 0.9, Box(*boxes[i]), 0, int(last_seen[i]), frames=number + 1)
                for i in range(count)
            )
        )
    return scenes


def measure(count: int, updates: int) -> dict[str, float]:
    """Milliseconds of one update at ``count`` things, after 50 to settle."""
    book, image, times = rule_book(), np.zeros((HEIGHT, WIDTH, 3), np.uint8), []
    for number, tracks in enumerate(walks(count, updates + 50)):
        frame = Frame(image, "yard", number, number * FRAME_NS, START + timedelta(seconds=number / 10))
        began = time.perf_counter_ns()
        book.update(tracks, frame)
        book.changes()
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
