#!/usr/bin/env python3
"""What the running service costs: from its start to the first detection, and the memory of all its processes together.

    python tools/bench/family.py [--model edge-default] [--times 5] [--threads auto]

Cold start counts from the start of the program to the moment the service has the first frame's detections; Python's
files are compiled by then, and in the machine's memory, as one start that is not counted has read them. PSS shares
what several processes have in common (/proc/PID/smaps_rollup); it is read after five seconds of work.
"""

from __future__ import annotations

import argparse
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

_WORK_S = 5.0
_SERVICE = """
import sys, time
from importlib.machinery import PathFinder

class Watcher:
    # Says when the first frame is told; whatever else is imported, is imported when the service does it.
    def find_spec(self, name, path=None, target=None):
        if name != "edge.service.pipeline":
            return None
        spec = PathFinder.find_spec(name, path, target)
        run = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (run(module), tell_first(module.Pipeline))
        return spec

def tell_first(pipeline):
    process = pipeline.process
    def first(self, seen):
        pipeline.process = process
        print(time.monotonic_ns(), flush=True)
        return process(self, seen)
    pipeline.process = first

sys.meta_path.insert(0, Watcher())
from edge.cli import main
main(["run", "--config", sys.argv[1]])
"""


def main() -> int:
    options = _options()
    starts, memory = [], {}
    with tempfile.TemporaryDirectory() as name:
        config = _write_config(Path(name), options)
        _run_once(config, work_s=0.0)  # compiles what is not compiled yet, as an installation does
        for number in range(options.times):
            start_s, memory = _run_once(config, work_s=_WORK_S if number == options.times - 1 else 0.0)
            starts.append(start_s)
    print(f"cold start: median {statistics.median(starts):.3f} s of {', '.join(f'{each:.3f}' for each in starts)}")
    for name, megabytes in memory.items():
        print(f"{name:<28}{megabytes:7.1f} MB PSS")
    print(f"{'all together':<28}{sum(memory.values()):7.1f} MB PSS")
    return 0


def _run_once(config: Path, *, work_s: float) -> tuple[float, dict[str, float]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", _SERVICE, str(config)]
    began_ns = time.monotonic_ns()
    service = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert service.stdout is not None
    seen_ns = int(service.stdout.readline())
    time.sleep(work_s)
    memory = _memory(service.pid)
    service.send_signal(signal.SIGTERM)
    service.communicate()
    return (seen_ns - began_ns) / 1e9, memory


def _memory(service: int) -> dict[str, float]:
    children = " ".join(each.read_text() for each in Path(f"/proc/{service}/task").glob("*/children")).split()
    return {_name(pid): _pss_mb(pid) for pid in (str(service), *children)}


def _name(pid: str) -> str:
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    return f"{name if name.startswith('edge-') else 'the service'} ({pid})"


def _pss_mb(pid: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _write_config(folder: Path, options: argparse.Namespace) -> Path:
    path = folder / "edge.yaml"
    settings: dict[str, Any] = {
        "device": "family",
        "broker": {"host": "127.0.0.1", "port": 9},
        "model": options.model,
        "threads": options.threads if options.threads == "auto" else int(options.threads),
        "cameras": {"yard": {"source": "synthetic:", "fps": 20}},
        "outbox": {"path": str(folder / "outbox.db")},
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="edge-default")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--threads", default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
