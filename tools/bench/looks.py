#!/usr/bin/env python3
"""What `boxes: raw` and tiles cost: CPU milliseconds of one picture, and memory, each in a process of its own.

What they gain is measured with `edge eval --boxes raw --tiles 2x2`. Prints a table.

python tools/bench/looks.py MODEL.tflite PICTURE... [--threshold 0.5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAYS = (("graph", "1x1"), ("raw", "1x1"), ("graph", "2x2"), ("raw", "2x2"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--threshold", type=float, help="the card's by default")
    parser.add_argument("--way", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.way:
        print(json.dumps(measure(options, *options.way)))
        return
    print("| boxes | tiles | CPU ms per picture | memory MB (PSS) |\n| --- | --- | --- | --- |")
    for boxes, tiles in WAYS:
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--way", boxes, tiles], stdout=subprocess.PIPE, check=False
        )
        if done.returncode == 0:  # a model without the operator has no raw boxes
            result = json.loads(done.stdout)
            print(f"| {boxes} | {tiles} | {result['cpu_ms']:.2f} | {result['pss_mb']:.1f} |")


def measure(options: argparse.Namespace, boxes: str, tiles: str) -> dict[str, float | None]:
    from edge.assemble.detector import open_detector
    from edge.assemble.looks import make_look
    from edge.assemble.model import find
    from edge.capture.pictures import read_picture
    from edge.core.clock import SystemClock
    from edge.core.values import Frame
    from edge.measure.machine_load import memory_mb

    clock, model = SystemClock(), find(str(options.model))
    detector = open_detector(model, threads=1, threshold=options.threshold, boxes="raw" if boxes == "raw" else "graph")
    look = make_look(detector, tiles)
    frames = [Frame(read_picture(path), "a", 0, 0, clock.utc_now()) for path in options.pictures[:40]]
    times = []
    for frame in (frames * (60 // len(frames) + 1))[:60]:
        began = time.thread_time_ns()
        look.detect(frame)
        times.append((time.thread_time_ns() - began) * 1e-6)
    return {"cpu_ms": statistics.median(times[5:]), "pss_mb": memory_mb([os.getpid()])[0]}


if __name__ == "__main__":
    main()
