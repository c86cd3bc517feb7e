"""Let the memory of a running service run out: whom does the kernel end, and what goes on?

    sudo python -m tools.faults.low_memory [--rounds 20]

The service lives in a memory control group of its own (version 1 or 2). In each round another process there takes more
and more, until the kernel has ended somebody.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tools.faults.heard import running
from tools.faults.kills import Storm
from tools.faults.process import children
from tools.faults.red_model import NAME, write_red_model

_ROOM_MB = 20  # above what the service needs
_HOG = """
import sys, time
sys.stdin.readline()
held = []
for _ in range(200):
    held.append(bytearray(1 << 20))
    time.sleep(0.01)
"""


class MemoryGroup:
    """A control group for memory that ends with the block it was made for."""

    def __init__(self) -> None:
        root = Path("/sys/fs/cgroup")
        self._is_v2 = (root / "cgroup.controllers").exists()
        self._folder = (root if self._is_v2 else root / "memory") / f"edge-low-memory-{os.getpid()}"
        self._folder.mkdir()

    def admit(self, pid: int) -> None:
        (self._folder / "cgroup.procs").write_text(str(pid))

    def used_mb(self) -> int:
        name = "memory.current" if self._is_v2 else "memory.usage_in_bytes"
        return int((self._folder / name).read_text()) >> 20

    def limit(self, megabytes: int | None) -> None:
        """None = no limit."""
        name, none = ("memory.max", "max") if self._is_v2 else ("memory.limit_in_bytes", "-1")
        (self._folder / name).write_text(none if megabytes is None else str(megabytes << 20))

    def end(self) -> None:
        self._folder.rmdir()


def squeeze(storm: Storm, group: MemoryGroup, service: int) -> tuple[str, float]:
    """One round: who was ended, and how long it took until all was well again."""
    before = children(service)
    group.limit(group.used_mb() + _ROOM_MB)
    began_s = time.time()
    with subprocess.Popen([sys.executable, "-c", _HOG], stdin=subprocess.PIPE) as hog:
        group.admit(hog.pid)
        assert hog.stdin is not None
        hog.stdin.write(b"\n")
        hog.stdin.flush()
        while hog.poll() is None and children(service) == before:
            time.sleep(0.005)
        hog.kill()
    group.limit(None)
    storm.calm()
    after = children(service)
    gone = [name for name, pid in before.items() if after.get(name) != pid]
    return " and ".join(sorted(gone)) or "nobody", time.time() - began_s


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    ended: Counter[str] = Counter()
    longest_s = 0.0
    group = MemoryGroup()
    yard = {"source": "synthetic:?width=320&height=240&objects=6", "fps": 10, "publish_detections": True}
    with tempfile.TemporaryDirectory() as name:
        write_red_model(Path(name) / "models")
        environment = {"EDGE_MODELS": f"{name}/models"}
        with running(Path(name), {"yard": yard}, environment=environment, model=NAME, threads=1) as run:
            storm = Storm(run, 1)
            storm.calm()
            group.admit(run.program.pid)
            for victim in children(run.program.pid):
                storm.hit(victim)  # its successor's memory counts in the group
            for _ in range(options.rounds):
                who, gap_s = squeeze(storm, group, run.program.pid)
                ended[who] += 1
                longest_s = max(longest_s, gap_s)
            is_alive = run.program.poll() is None
    group.end()
    print(f"ended: {dict(ended)}; main alive: {is_alive}; all well again after {longest_s:.1f} s at most")
    return 0 if is_alive else 1


if __name__ == "__main__":
    sys.exit(main())
