"""Checks of what ends while the camera is at work: processes, and the power."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

from tools.booting.bench import DETECTIONS, EVENT, Bench

# WatchdogSec is 10; what the stopped service had handed on before is told within the first seconds.
_BARKS_AFTER_S = 8.0
_INTACT = """
for file in /var/lib/private/edge/outbox*.db; do
  /opt/edge/bin/python - "$file" <<'PYTHON'
import sqlite3, sys
print(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute("PRAGMA integrity_check").fetchone()[0])
PYTHON
done
"""
_CHILDREN = 3
_MAIN = "systemctl show edge.service --property=MainPID --value"


def killed_main(bench: Bench) -> str:
    """SIGKILL of the service's own process: systemd starts the next."""
    bench.be_on()
    before = _main(bench)
    died_s = _kill(bench, before)
    back_s = bench.wait_for_message(DETECTIONS, died_s + 1)
    if _main(bench) == before:
        raise RuntimeError("the service's process is the same as before")
    return f"detections again after {back_s + 1:.0f} s"


def killed_children(bench: Bench) -> str:
    """SIGKILL of each of its children in turn: the service goes on."""
    bench.be_on()
    main, answers = _main(bench), []
    for child in bench.login.run(f"pgrep --parent {main}").split():
        if not _is_there(bench, child):
            continue  # one that tries something at the start and ends
        died_s = _kill(bench, child)
        answers.append(f"{bench.wait_for_message(DETECTIONS, died_s + 2) + 2:.0f} s")
        if _main(bench) != main:
            raise RuntimeError(f"the service itself ended with its child number {len(answers)}")
    if len(answers) < _CHILDREN:
        raise RuntimeError(f"expected a camera's, a model's and a publisher's process, found {len(answers)}")
    return f"{len(answers)} children: detections again after {', '.join(answers)}"


def withheld_watchdog(bench: Bench) -> str:
    """The service stands still (SIGSTOP): systemd notices, ends it, and starts the next."""
    bench.be_on()
    before = _main(bench)
    bench.login.run(f"kill -STOP {before}")
    stopped_s = time.time()
    back_s = bench.wait_for_message(DETECTIONS, stopped_s + _BARKS_AFTER_S) + _BARKS_AFTER_S
    if _main(bench) == before:
        raise RuntimeError("the service's process is the same as before")
    told = bench.login.run(
        "journalctl --unit=edge.service --boot --output=cat --no-pager | grep -i 'watchdog timeout' | tail -n 1"
    )
    if not told:
        raise RuntimeError("the journal says nothing of a watchdog")
    return f"detections again after {back_s:.0f} s; systemd: {told.strip()}"


def power_cuts(bench: Bench, count: int) -> str:
    """The power goes in the middle of work, again and again; every second time the broker is away before it."""
    bench.power_off()
    bench.broker.start_broker_if_away()
    for number in range(count):
        bench.power_on()
        seen = bench.wait_for_message(DETECTIONS)
        bench.wait_for("an event", lambda: bench.first(EVENT))
        if number % 2:
            bench.broker.kill_broker()
        worked_s = random.uniform(3, 30)  # noqa: S311
        time.sleep(worked_s)
        bench.machine.cut()
        bench.broker.start_broker_if_away()
        told = tally(bench.broker.events)
        away = ", the broker away" if number % 2 else ""
        began = f"first detections {seen:.0f} s after power on"
        print(f"  cut {number + 1}: {began}, {worked_s:.0f} s at work{away}; {told}", flush=True)
    bench.power_on()
    bench.wait_for_message(DETECTIONS)
    bench.wait_for("an event", lambda: bench.first(EVENT))
    time.sleep(60)  # what was missed is asked for after 5 s, and sent
    found = bench.login.run(_INTACT).split()
    if not found or set(found) != {"ok"}:
        raise RuntimeError(f"the outbox is damaged: {found}")
    return f"{count} cuts; outbox intact; {tally(bench.broker.events)}"


def tally(events: Path) -> str:
    """Raises RuntimeError when the consumer was told of a loss, or got an event twice."""
    lines = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    lost = [line for line in lines if "notice" in line or line.get("type") == "gap"]
    keys = Counter((line["epoch"], line["seq"]) for line in lines if "seq" in line)
    twice = [key for key, times in keys.items() if times > 1]
    holes = []
    for epoch in {epoch for epoch, _ in keys}:
        numbers = sorted(seq for known, seq in keys if known == epoch)
        holes += [(epoch, n) for n in range(numbers[0], numbers[-1]) if (epoch, n) not in keys]
    if lost or twice or holes:
        raise RuntimeError(f"lost {lost[:3]}, twice {twice[:3]}, missing {holes[:5]}")
    return f"{len(keys)} events of {len({epoch for epoch, _ in keys})} epochs, none lost, none twice, none missing"


def _main(bench: Bench) -> str:
    return bench.login.run(_MAIN).strip()


def _is_there(bench: Bench, process: str) -> bool:
    return bench.login.run(f"kill -0 {process} 2>/dev/null && echo there || true").strip() == "there"


def _kill(bench: Bench, process: str) -> float:
    """When, in seconds since 1970."""
    bench.login.run(f"kill -KILL {process}")
    return time.time()
