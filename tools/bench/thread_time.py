#!/usr/bin/env python3
"""Where the time of a frame goes, thread by thread of all processes, beside the bare model's run.

For each thread of the whole path: milliseconds per frame on a processor, and waiting for one while it could have run.
Time on a processor is fair on a busy machine too. What the thread that runs the model adds to the bare run is what the
path costs in frame rate where a core is free for the others. Prints one JSON object.

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

_SETTLED = 30  # frames until buffers and caches are what they stay
_LEAST_MS = 0.005
_BARE_S = 1.0  # frames that wait behind it are not to be taken for a run that hangs
Times = dict[tuple[str, str], tuple[float, float]]


def thread_times(pids: tuple[int, ...]) -> Times:
    """Milliseconds on a processor, and waiting for one, so far: by process and thread."""
    found = {}
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            ran_ns, waited_ns, _ = (task / "schedstat").read_text(encoding="ascii").split()
            name = Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
            found[name, task.name] = int(ran_ns) / 1e6, int(waited_ns) / 1e6
    return found


def spent(before: Times, after: Times, count: int) -> list[dict[str, object]]:
    """Per frame, the busiest first."""
    rows = []
    for (process, thread), (ran, waited) in after.items():
        ran_before, waited_before = before.get((process, thread), (0.0, 0.0))
        ran_ms, waited_ms = round((ran - ran_before) / count, 3), round((waited - waited_before) / count, 3)
        rows.append((ran_ms, {"process": process, "ran_ms": ran_ms, "waited_ms": waited_ms}))
    return [row for ran_ms, row in sorted(rows, key=lambda each: -each[0]) if ran_ms > _LEAST_MS]


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
        before = thread_times(path.pids)
        for _ in range(options.frames):
            path.run_frame()
        threads = spent(before, thread_times(path.pids), options.frames)
        bare = path.run_bare(_BARE_S)
    figures = {"bare_ms": round(bare.cpu_s * 1e3 / len(bare.runs_ms), 3), "threads": threads}
    whole = round(sum(float(str(row["ran_ms"])) for row in threads), 3)
    print(json.dumps({"model": setup.model.name, "source": options.source, "whole_ms": whole, **figures}, indent=1))


if __name__ == "__main__":
    main()
