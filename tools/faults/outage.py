"""A broker that is away for a day while alerts come, and then is back: what is lost, and what it costs.

    python -m tools.faults.outage --folder F --alerts 100000

The clock of service and publisher is moved: 24 h pass while so many alerts are committed, then it goes on at its own
pace. Only the supervision of the publisher keeps real time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.faults.moved_clock import MovedClock
from tools.faults.stage import Stage, committed, line_count, seen, wait_until, witnessed

_DAY_S = 24 * 3600
_LATE_MS = 11_000
_RATE = 500.0  # a second: less than a disk takes, else the writer refuses some and names them


@dataclass(slots=True)
class Outage:
    """Memory is what service and publisher hold of their own, together; times are those of the moved clock."""

    alerts: int
    hours: float
    growth_kb: int
    committed_per_s: float
    drain_per_s: float
    missing: int
    seen_twice: int
    unmarked: int
    wire_repeats: int
    stop_s: float = 0.0


def outage(stage: Stage, alerts: int) -> Outage:
    """So many alerts while the broker is away, a day of them in some minutes."""
    clock = MovedClock(path=stage.folder / "clock")
    stage.start_broker()
    stage.start_watch()
    stage.kill_broker()
    stage.start_service(
        *("--rate", str(_RATE), "--count", str(alerts), "--linger", "3600", "--spread", str(_DAY_S / alerts)),
        *("--clock", str(stage.folder / "clock")),
    )
    stage.wait_for_commits(min(2_000, alerts // 4))
    memory, began, before = [stage.memory_kb()], time.monotonic(), line_count(stage.ledger)
    while not wait_until(lambda: line_count(stage.ledger) >= alerts, 10.0, every_s=0.5):
        memory.append(stage.memory_kb())
        assert time.monotonic() - began < 60.0 + alerts / 40, f"{line_count(stage.ledger)} of {alerts} committed"
    per_s = (line_count(stage.ledger) - before) / (time.monotonic() - began)
    stage.start_broker()
    stage.start_witness()
    began = time.monotonic()
    # four fifths, without the end that waits for the consumer's patience
    while not wait_until(lambda: line_count(stage.seen) >= alerts * 4 // 5, 5.0, every_s=0.5):
        memory.append(stage.memory_kb())
        assert time.monotonic() - began < 120.0 + alerts / 40, f"{line_count(stage.seen)} of {alerts} have come"
    drain_per_s = line_count(stage.seen) / (time.monotonic() - began)
    stage.wait_for_all(180.0)
    memory.append(stage.memory_kb())
    return _judge(stage, clock, alerts, max(memory) - memory[0], per_s, drain_per_s)


def _judge(
    stage: Stage, clock: MovedClock, alerts: int, growth_kb: int, committed_per_s: float, drain_per_s: float
) -> Outage:
    got = seen(stage.seen)
    found = Outage(
        alerts=alerts,
        hours=round(clock.offset_ns / 3.6e12, 1),
        growth_kb=growth_kb,
        committed_per_s=round(committed_per_s),
        drain_per_s=round(drain_per_s),
        missing=len(committed(stage.ledger) - set(got)),
        seen_twice=len(got) - len(set(got)),
        unmarked=0,
        wire_repeats=0,
    )
    known: set[object] = set()
    for received_ms, event in witnessed(stage.wire):
        identity = (event["epoch"], event["seq"])
        is_late = received_ms + clock.offset_ns / 1e6 - event["time"]["wall_ms"] > _LATE_MS  # type: ignore[index]
        found.wire_repeats += identity in known
        found.unmarked += (is_late or identity in known) and not event["replayed"]
        known.add(identity)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--alerts", type=int, default=100_000)
    options = parser.parse_args()
    stage = Stage(options.folder, rate=0.0)
    try:
        found = outage(stage, options.alerts)
        found.stop_s = round(stage.stop_service(), 1)
    finally:
        stage.end()
    print(json.dumps(asdict(found)), flush=True)
    return 1 if found.missing or found.seen_twice or found.unmarked else 0


if __name__ == "__main__":
    sys.exit(main())
