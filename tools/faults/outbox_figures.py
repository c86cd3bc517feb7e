"""The outbox's figures on this machine: ``python -m tools.faults.outbox_figures --folder /var/tmp/outbox``.

Choose a folder on the disk in question. Bytes are those that the kernel counts as written by this process
(``write_bytes`` in /proc/self/io: whole pages sent to the block layer; the file system's journal comes on top).
"""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from edge.core.clock import HandClock, SystemClock
from edge.core.events import Severity
from edge.core.protocols import Clock
from edge.report.outbox import Keeper, OutboxReader, OutboxWriter, Outgoing, Policy, Position
from edge.report.outbox.values import Entry
from tools.faults.consumer import telling

EPOCH = "01JD4T6ZK8M3Q9W2X7B5C1V0NS"
# An event of the contract, as long as a real one: 26 letters of epoch, a boot's and a model's random names.
EVENT = (
    '{"schema":1,"device":"gate","epoch":"%s","seq":%d,"type":"zone_enter","camera":"yard","label":"person",'
    '"score":%.4f,"top_score":%.4f,"box":[%.4f,%.4f,%.4f,%.4f],"track":{"id":%d,"age_ms":%d,"frames":%d,'
    '"stationary":false},"zones":["drive"],"line":null,"rule":{"name":"person-in-drive","severity":"alert","why":['
    '{"condition":"score","value":%.4f,"threshold":0.6},{"condition":"dwell_ms","value":1500,"threshold":1000}]},'
    '"time":{"wall_ms":%d,"monotonic_ms":%d,"boot_id":"0b8f6a1e-53c7-4d29-9e4b-7fd1a06c38d2","synced":true,'
    '"uncertainty_ms":null},"frame":{"sequence":%d,"width":640,"height":480},"model":{"name":"ssd-mobilenet-v1",'
    '"sha256":"4f1c9be08a7d2365e1b0c84f7792ad6350ef18b9d4c26a7130958be7fa64c2d1"},"backend":"cpu","latency_ms":'
    '{"capture":4,"preprocess":1,"infer":31,"decode":1,"total":38},"snapshot":null,"replayed":false}'
)
POLICY = Policy(max_bytes=256 * 1024 * 1024, has_consumer=True)


def event(seq: int) -> Outgoing:
    any_ = Random(seq).random  # noqa: S311
    seen = [any_() for _ in range(6)]
    facts = (seq // 3, 40 * seq, seq % 500, any_(), 1763690000000 + 864 * seq, 8123456 + 864 * seq, 9 * seq)
    payload = (EVENT % (EPOCH, seq, *seen, *facts)).encode()
    return Outgoing(EPOCH, seq, "edge/gate/camera/yard/event", payload, Severity.ALERT, "yard", "person", 0)


def opened(folder: Path, clock: Clock, policy: Policy = POLICY) -> tuple[Keeper, OutboxReader]:
    shutil.rmtree(folder, ignore_errors=True)
    keeper = Keeper(folder / "outbox.db", volatile_path=None, policy=policy, clock=clock)
    keeper.open()
    return keeper, OutboxReader(folder / "outbox.db", policy=policy, clock=clock)


def commits(folder: Path, group: int, total: int) -> str:
    """Speed and latency of commits of one size, and what they write."""
    keeper, _ = opened(folder, SystemClock())
    took, before, began = [], written(), time.perf_counter()
    for first in range(1, total + 1, group):
        entries = [Entry(event(seq)) for seq in range(first, first + group)]
        start = time.perf_counter()
        assert keeper.commit(entries)
        took.append(time.perf_counter() - start)
    seconds = time.perf_counter() - began
    keeper.close()
    p50, p99 = (sorted(took)[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
    return (
        f"{total / seconds:,.0f} events/s; commit p50 {p50:.2f} ms, p99 {p99:.2f} ms;"
        f" {(written() - before) / total:,.0f} bytes written per event of {len(event(1).payload)}"
    )


def appends(folder: Path, total: int = 2000) -> str:
    """What the detecting thread feels, and how long until an event is durable, at 50 events/s in bursts of 5."""
    keeper, reader = opened(folder, SystemClock())
    keeper.close()
    writer = OutboxWriter(keeper, lambda loss: telling(loss, Position(EPOCH, 0)), clock=SystemClock())
    writer.start()
    felt, durable = [], []
    for first in range(1, total + 1, 5):
        start = time.perf_counter()
        for seq in range(first, first + 5):
            at = time.perf_counter()
            writer.append(event(seq))
            felt.append(time.perf_counter() - at)
        while not reader.pending(1, without=()) or reader.depth() < first + 4:
            time.sleep(0.001)
        durable.append(time.perf_counter() - start)
    writer.stop(10)
    reader.close()
    p99 = sorted(felt)[int(len(felt) * 0.99)] * 1e6
    p50d, p99d = (sorted(durable)[int(len(durable) * share)] * 1000 for share in (0.5, 0.99))
    return (
        f"append p99 {p99:.0f} us; durable and readable after p50 {p50d:.1f} ms, p99 {p99d:.1f} ms (20 ms is the group)"
    )


def alerts_of_a_day(folder: Path, total: int = 1000) -> str:
    """A thousand alerts, each committed, sent and confirmed alone."""
    clock = HandClock()
    keeper, reader = opened(folder, clock)
    reader.depth()
    before = written()
    for seq in range(1, total + 1):
        keeper.commit([Entry(event(seq))])
        keeper.tend()
        reader.mark_sent(stored.position for stored in reader.pending(20))
        reader.confirm(Position(EPOCH, seq))
        clock.advance(86.4)
    keeper.close()
    reader.close()
    return f"{(written() - before) / 1e6:.1f} MB written for {total} alerts"


def idle_day(folder: Path, policy: Policy) -> str:
    """A day in which nothing happens, tended and read each second, with a backlog that waits for its window."""
    clock = HandClock()
    keeper, reader = opened(folder, clock, policy)
    keeper.commit([Entry(event(seq)) for seq in range(1, 33)])
    reader.mark_sent(stored.position for stored in reader.pending(20))
    before = written()
    for _ in range(24 * 3600):
        clock.advance(1)
        keeper.tend()
        reader.version()
    reader.pending(20)
    keeper.close()
    reader.close()
    return f"{(written() - before) / 1e6:.2f} MB written"


def backlog(folder: Path, total: int = 100_000) -> str:
    """Memory while a day's backlog is gathered and drained."""
    keeper, reader = opened(folder, HandClock())
    reader.depth()
    before = resident()
    peak = before
    for first in range(1, total + 1, 32):
        keeper.commit([Entry(event(seq)) for seq in range(first, min(first + 32, total + 1))])
        if first % 3200 == 1:
            keeper.tend()
            keeper.reading()
            peak = max(peak, resident())
    gathered, drained, began = resident(), 0, time.perf_counter()
    while events := reader.pending(20):
        reader.mark_sent(stored.position for stored in events)
        reader.confirm(events[-1].position)
        drained += len(events)
        if drained % 2000 == 0:
            peak = max(peak, resident())
    rate = drained / (time.perf_counter() - began)
    keeper.close()
    reader.close()
    gc.collect()
    return (
        f"memory +{(gathered - before) / 1e6:.1f} MB with {drained:,} waiting, +{(peak - before) / 1e6:.1f} MB at most;"
        f" read, marked and confirmed in twenties: {rate:,.0f} events/s"
    )


def opening(folder: Path) -> str:
    """A full default outbox, as a start finds it; whole and damaged."""
    policy = Policy(has_consumer=True)
    keeper, _ = opened(folder, HandClock(), policy)
    seq = 1
    while not keeper.reading().lost:
        keeper.commit([Entry(event(number)) for number in range(seq, seq + 32)])
        seq += 32
    keeper.close()
    whole = timed(keeper.open)
    keeper.close()
    with (folder / "outbox.db").open("r+b") as file:
        file.seek(4096 * 100)
        file.write(bytes(4096))
    damaged = timed(keeper.open)
    keeper.close()
    return f"{seq:,} events, 64 MB: checked and opened in {whole:.2f} s; damaged: rebuilt in {damaged:.2f} s"


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def written() -> int:
    return _number("/proc/self/io", "write_bytes:")


def resident() -> int:
    return _number("/proc/self/status", "VmRSS:") * 1024


def _number(file: str, key: str) -> int:
    line = next(line for line in Path(file).read_text().splitlines() if line.startswith(key))
    return int(line.split()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="is emptied; on the disk to be measured")
    folder = parser.parse_args().folder / "figures"
    # first, while nothing else has made the process large
    print("a backlog:            ", backlog(folder))
    print("1 event per commit:   ", commits(folder, 1, 2000))
    print("10 events per commit: ", commits(folder, 10, 10_000))
    print("32 events per commit: ", commits(folder, 32, 32_000))
    print("through the writer:   ", appends(folder))
    print("a day of 1,000 alerts:", alerts_of_a_day(folder))
    print("an idle day, cursor:  ", idle_day(folder, POLICY))
    print("an idle day, window:  ", idle_day(folder, Policy()))
    print("a full outbox:        ", opening(folder))
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
