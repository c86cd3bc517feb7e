#!/usr/bin/env python3
"""CPU milliseconds per frame of each thread of the whole path, beside the bare model's: fair on a busy machine too.

What the thread that runs the model adds to the bare run is what the path costs in frame rate where a core is free for
the others. Prints one JSON object.

python tools/bench/thread_time.py MODEL [SOURCE] [--frames 200] [--threads 1] [--one-after-the-other]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.assemble.bench import Bench, Setup
from edge.assemble.model import find
from edge.assemble.threads import hand_over_quickly
from edge.core.clock import SystemClock

_SETTLED = 20  # frames until buffers and caches are what they stay


def thread_times() -> dict[str, float]:
    """Milliseconds on a processor so far, by thread."""
    tasks = Path("/proc/self/task").iterdir()
    return {task.name: int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e6 for task in tasks}


def spent(before: dict[str, float], count: int) -> dict[str, float]:
    after = thread_times()
    return {name: (ms - before.get(name, 0.0)) / count for name, ms in after.items() if name in before}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("source", nargs="?", default="synthetic:")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one-after-the-other", action="store_true")
    options = parser.parse_args()
    hand_over_quickly()
    setup = Setup(find(options.model), options.source, options.threads, not options.one_after_the_other)
    with Bench(setup, SystemClock()) as path:
        for _ in range(_SETTLED):
            path.run_frame()
        before = thread_times()
        for _ in range(options.frames):
            path.run_frame()
        whole = spent(before, options.frames)
        with path.subject.alone():
            before = thread_times()
            for _ in range(options.frames):
                path.subject.run_bare()
            bare = sum(spent(before, options.frames).values())
    threads = sorted((round(ms, 3) for ms in whole.values() if ms > 0.005), reverse=True)
    figures = {"bare_ms": round(bare, 3), "whole_ms": round(sum(whole.values()), 3), "threads_ms": threads}
    print(json.dumps({"model": setup.model.name, "source": options.source, **figures}))


if __name__ == "__main__":
    main()
