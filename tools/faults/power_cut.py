"""Power cuts at arbitrary points of a recorded run: ``python -m tools.faults.power_cut --points 10000``.

A child process uses an outbox while every write, sync and change of names is recorded. Then the power goes at random
points of the recording, with any mixture of unsynced writes, and the outbox is opened on what is left.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from edge.core.events import Severity
from edge.report.outbox import Keeper, Mode, OutboxReader, Outgoing, Policy, Position
from edge.report.outbox.salvage import suspect
from edge.report.outbox.values import DAMAGE, SMALLEST_BOUND, TORN, Entry
from tools.faults.consumer import BookKeeper, padding, telling
from tools.faults.outbox_histories import MEMORY
from tools.faults.outbox_model import BootClock
from tools.faults.recording import Disk, Step, build, read

POLICY = Policy(max_bytes=SMALLEST_BOUND, has_consumer=True)
NOTES = "notes"  # written by the child beside the outbox: what it knows, in the order in which it learned it
ROUNDS = 120


class Note(NamedTuple):
    """kind : C, committed; G, got by the consumer"""

    kind: str
    position: Position
    payload: bytes


class Device:
    """A keeper, a reader and what one process does with them."""

    def __init__(self, folder: Path, epoch: str, clock: BootClock) -> None:
        self.clock = clock
        self.epoch = epoch
        self.seq = 0
        self.path = folder / "outbox.db"
        self.keeper = Keeper(self.path, volatile_path=None, policy=POLICY, clock=clock)
        self.keeper.open()
        self.reader = OutboxReader(self.path, policy=POLICY, clock=clock)
        self.consumer = BookKeeper()

    def next(self) -> Position:
        self.seq += 1
        return Position(self.epoch, self.seq)

    def make(self, size: int, severity: Severity) -> Entry:
        at = self.next()
        payload = json.dumps({"epoch": at.epoch, "seq": at.seq, "pad": padding(size, at.seq)}).encode()
        return Entry(Outgoing(at.epoch, at.seq, "edge/gate/event", payload, severity, "yard", "person", 0))

    def tell(self) -> list[Entry]:
        return [Entry(telling(loss, self.next()), settles=loss) for loss in self.keeper.tend()]

    def receive(self, limit: int, note: Callable[[bytes], object] = bytes) -> int:
        """Send some, and mark them after the consumer has noted what it got; how many."""
        events = self.reader.pending(limit)
        for event in events:
            self.consumer.take(event)
            note(event.payload)
        self.reader.mark_sent(event.position for event in events)
        return len(events)

    def confirm(self) -> None:
        for cursor in self.consumer.cursors():
            self.reader.confirm(cursor)

    def close(self) -> None:
        self.keeper.close()
        self.reader.close()


def work(folder: Path, seed: int) -> None:
    """The child's life: commits, sends, cursors, a full file, clean restarts, and a file that has to be exchanged."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    clock = BootClock()
    consumer = BookKeeper()
    notes = os.open(folder / NOTES, os.O_WRONLY | os.O_CREAT, 0o600)
    for life in range(4):
        device = Device(folder, f"epoch-{life}", clock)
        device.consumer = consumer
        for number in range(ROUNDS):
            entries = device.tell() + [
                device.make(random.choice((20, 400, 4000, 12000)), random.choice(list(Severity)))
                for _ in range(random.choice((1, 1, 3, 12)))
            ]
            if not device.keeper.commit(entries):
                raise SystemExit("the recorded run itself failed to commit")
            for entry in entries:
                os.write(notes, f"C {entry.record.payload.decode()}\n".encode())
            if random.random() < 0.6:
                device.receive(random.randint(1, 20), lambda payload: os.write(notes, b"G " + payload + b"\n"))
            if random.random() < (0.0 if number < ROUNDS // 2 else 0.5):
                device.confirm()
            if number == ROUNDS - 10 and life % 2:
                suspect(device.path)  # the next tending puts a new file in the place of this one
            clock.advance(random.choice((0.1, 2, 61)))
        device.close()


def record(folder: Path, seed: int) -> list[Step]:
    """Let a child work under the recorder."""
    disk, log = folder / "disk", folder / "log"
    disk.mkdir(mode=0o700)
    watched = {**os.environ, "LD_PRELOAD": str(build(folder)), "RECORD_ROOT": str(disk), "RECORD_LOG": str(log)}
    command = [sys.executable, "-m", "tools.faults.power_cut", "--work", str(disk), "--seed", str(seed)]
    subprocess.run(command, env=watched, check=True)
    return read(log)


def try_points(steps: list[Step], folder: Path, points: int, random: Random) -> Counter[str]:
    """Cut the power at some points, ascending; raises AssertionError with the point for what must not be."""
    disk = Disk()
    notes: list[Note] = []
    counts: Counter[str] = Counter()
    chosen = sorted(random.randrange(1, len(steps) + 1) for _ in range(points))
    done = 0
    for number, step in enumerate(steps, 1):
        if step.name.endswith(NOTES):
            notes.append(Note(step.data[:1].decode(), _position(step.data[2:]), step.data[2:].strip()))
        else:
            disk.play(step)
        while done < len(chosen) and chosen[done] == number:
            left = disk.cut(random)
            try:
                counts.update(check(left, notes, folder / f"cut-{done}"))
            except BaseException:
                print(f"point {done}, after step {number} of {len(steps)}", file=sys.stderr)
                raise
            shutil.rmtree(folder / f"cut-{done}")
            done += 1
    return counts


def check(left: dict[str, bytes], notes: list[Note], folder: Path) -> Counter[str]:
    """Open what is left, deliver everything, and compare with what was known when the power went."""
    folder.mkdir()
    for name, content in left.items():
        (folder / Path(name).name).write_bytes(content)
    clock = BootClock()
    clock.reboot()
    device = Device(folder, "epoch-after", clock)
    assert device.keeper.mode is Mode.DURABLE, f"not usable: {device.keeper.reading()}"
    made = {note.position: note.payload for note in notes if note.kind == "C"}
    for note in notes:
        if note.kind == "G":
            device.consumer.take_payload(note.position, note.payload)
    assert device.keeper.commit([device.make(10, Severity.ALERT)]), "can't write"
    for _ in range(400):
        clock.advance(61)
        told = device.tell()
        assert not told or device.keeper.commit(told), "can't tell"
        if not device.receive(50) and not told:
            break
        device.confirm()
    device.close()
    consumer = device.consumer
    assert not consumer.contradictions, f"an identity was reused: {consumer.contradictions}"
    lost = [at for at in made if not consumer.accounts_for(at, without=(TORN, DAMAGE))]
    assert not lost, f"{len(lost)} committed events lost: {lost[:5]}"
    wrong = [at for at, payload in made.items() if consumer.got.get(at, payload) != payload]
    assert not wrong, f"{wrong[:5]} are not what was committed"
    set_aside = any(folder.glob("outbox.db.damaged-*"))
    return Counter(points=1, committed=len(made), set_aside=set_aside, torn=TORN in consumer.causes)


def _position(payload: bytes) -> Position:
    facts = json.loads(payload)
    return Position(facts["epoch"], facts["seq"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if arguments.work:
        work(arguments.work, arguments.seed)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="edge-power-", dir=MEMORY if MEMORY.is_dir() else None))
    began = time.monotonic()
    steps = record(folder, arguments.seed)
    kinds = Counter(step.kind for step in steps if not step.name.endswith(NOTES))
    print(f"recorded {len(steps)} steps: {dict(kinds)}", file=sys.stderr)
    counts = try_points(steps, folder, arguments.points, Random(arguments.seed))  # noqa: S311
    shutil.rmtree(folder)
    print(
        f"{counts['points']} power cuts in {time.monotonic() - began:.0f} s: opened {counts['points']}, lost 0 of"
        f" {counts['committed']} committed, identities reused 0; logs found torn {counts['torn']},"
        f" files set aside {counts['set_aside']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
