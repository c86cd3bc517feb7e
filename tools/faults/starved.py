"""A service that gets a quarter of the processor, for an hour: does its watchdog ever bark without need?

    sudo python -m tools.faults.starved --seconds 3600

The service asks for all it can get (a camera as fast as the model, another at 10 frames/s), and the kernel gives it a
quarter of the machine (a quota of its control group), which is the same to it as four times the load, and takes nothing
from others. Counted are the watchdog's pings and the longest time between two of them (the unit allows 10 s), its false
alarms, and processes of cameras, model and publisher that were ended for being late.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge.core.clock import SystemClock

GROUP = Path("/sys/fs/cgroup/cpu/edge-starved")
_PERIOD_US = 100_000
_SHARES = 20 * 1024
_WATCHDOG_S = 10
_CONFIG = """\
device: starved
broker: {{host: 127.0.0.1, port: 9}}
outbox: {{path: {folder}/outbox.db}}
cameras:
  fast: {{source: "synthetic:?width=640&height=480", pace: fast}}
  live: {{source: synthetic, fps: 10}}
"""
_ENDED = re.compile(r"the process (\S+).* (made no progress|did not come back|is stuck|ended|did not get)")


@dataclass
class Findings:
    """seconds : of the run after READY; longest_s : between two pings; late : processes that were ended, by name"""

    seconds: float = 0.0
    pings: int = 0
    longest_s: float = 0.0
    alarms: int = 0
    late: dict[str, int] = field(default_factory=dict)
    throttled_s: float = 0.0
    exit_code: int | None = None
    last_words: str = ""


def limit(share: float) -> None:
    """Make the control group; of all cores together the service gets this part."""
    GROUP.mkdir(exist_ok=True)
    cores = os.cpu_count() or 1
    (GROUP / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
    (GROUP / "cpu.cfs_quota_us").write_text(str(round(_PERIOD_US * cores * share)))
    # a group weighs as much as one process of those beside it: the quota alone is to count
    (GROUP / "cpu.shares").write_text(str(_SHARES))


def start(folder: Path) -> subprocess.Popen[str]:
    """``edge run`` in the control group, with a socket that hears what it tells systemd."""
    (folder / "edge.yaml").write_text(_CONFIG.format(folder=folder))
    enter = f"echo $$ > {GROUP}/tasks; exec {sys.executable} -m edge run --config {folder}/edge.yaml"
    environment = {
        **os.environ,
        "NOTIFY_SOCKET": str(folder / "notify"),
        "WATCHDOG_USEC": str(_WATCHDOG_S * 1_000_000),
        "STATE_DIRECTORY": str(folder),
    }
    return subprocess.Popen(["/bin/sh", "-c", enter], env=environment, stderr=subprocess.PIPE, text=True)


def watch(folder: Path, seconds: float) -> Findings:
    clock, findings, late = SystemClock(), Findings(), Counter[str]()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(folder / "notify"))
        systemd.settimeout(1.0)
        service = start(folder)
        reader = threading.Thread(target=_read, args=(service, late, findings), daemon=True)
        reader.start()
        began_ns = pinged_ns = 0
        while service.poll() is None and (not began_ns or (clock.monotonic_ns() - began_ns) / 1e9 < seconds):
            try:
                told = systemd.recv(4096).decode()
            except TimeoutError:
                told = ""
            now_ns = clock.monotonic_ns()
            if "READY=1" in told:
                began_ns = pinged_ns = now_ns
            if "WATCHDOG=trigger" in told:
                findings.alarms += 1
            if "WATCHDOG=1" in told and began_ns:
                findings.longest_s = max(findings.longest_s, (now_ns - pinged_ns) / 1e9)
                findings.pings, pinged_ns = findings.pings + 1, now_ns
        findings.seconds = (clock.monotonic_ns() - began_ns) / 1e9 if began_ns else 0.0
        statistics = dict(line.split() for line in (GROUP / "cpu.stat").read_text().splitlines())
        findings.throttled_s = int(statistics["throttled_time"]) / 1e9
        service.terminate()
        findings.exit_code = service.wait(120)
        reader.join(10)
    findings.late = dict(late)
    return findings


def _read(service: subprocess.Popen[str], late: Counter[str], findings: Findings) -> None:
    assert service.stderr is not None
    for line in service.stderr:
        findings.last_words = line.strip()
        if found := _ENDED.search(line):
            late[found[1]] += 1
        if " ERROR " in line:
            print(line, end="", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--share", type=float, default=0.25, help="of the whole machine")
    options = parser.parse_args()
    limit(options.share)
    with tempfile.TemporaryDirectory() as folder:
        findings = watch(Path(folder), options.seconds)
    print(json.dumps(asdict(findings), indent=1))
    return 0 if not findings.alarms and findings.longest_s < _WATCHDOG_S else 1


if __name__ == "__main__":
    sys.exit(main())
