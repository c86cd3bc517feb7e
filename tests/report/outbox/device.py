"""One device for the outbox's tests: a keeper, a reader, a clock and a disk that does what it is told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from edge.core.events import Severity
from edge.report.outbox import Keeper, Loss, OutboxReader, Outgoing, Policy, Position, Stored
from edge.report.outbox.values import SMALLEST_BOUND, Entry
from tools.faults.consumer import telling
from tools.faults.faulty import Faults
from tools.faults.outbox_model import BootClock

EPOCH = "01JCEPOCH"
CURSOR = Policy(max_bytes=SMALLEST_BOUND, has_consumer=True)
WINDOW = Policy(max_bytes=SMALLEST_BOUND)


def event(
    seq: int,
    *,
    severity: Severity = Severity.ALERT,
    size: int = 300,
    epoch: str = EPOCH,
    label: str = "person",
    wall_ms: int = 0,
) -> Outgoing:
    payload = f"{epoch} {seq} ".encode()[:size]
    payload += Random(seq).randbytes(size - len(payload))  # not to be made smaller
    return Outgoing(epoch, seq, "edge/gate/camera/yard/event", payload, severity, "yard", label, wall_ms)


def detection(seq: int, **facts: Any) -> Outgoing:
    return event(seq, severity=Severity.DETECTION, **facts)


class Device:
    """Everything on one disk, opened."""

    def __init__(self, folder: Path, *, policy: Policy = CURSOR, shelter: bool = False, live_ms: int = 10_000) -> None:
        self.folder = folder
        self.policy = policy
        self.clock = BootClock()
        self.faults = Faults()
        self.free = 0.5
        self.path = folder / "disk" / "outbox.db"
        self.memory = folder / "memory" / "outbox.db" if shelter else None
        self.live_ms = live_ms
        self.seq = 0
        self.start()

    def start(self) -> None:
        self.keeper = Keeper(
            self.path,
            volatile_path=self.memory,
            policy=self.policy,
            clock=self.clock,
            free=lambda _: self.free,
            connect=self.faults.connect,
        )
        self.keeper.open()
        self.reader = self.new_reader()

    def new_reader(self) -> OutboxReader:
        return OutboxReader(
            self.path,
            policy=self.policy,
            clock=self.clock,
            volatile_path=self.memory,
            live_ms=self.live_ms,
            connect=self.faults.connect,
        )

    def stop(self) -> None:
        self.keeper.close()
        self.reader.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def commit(self, *records: Outgoing) -> bool:
        self.seq = max([self.seq, *(record.seq for record in records)])
        return self.keeper.commit([Entry(record) for record in records])

    def tell(self) -> list[Loss]:
        """Let the losses that are due be told; they are."""
        told = self.keeper.tend()
        for loss in told:
            self.seq += 1
            assert self.keeper.commit([Entry(telling(loss, Position(EPOCH, self.seq)), settles=loss)])
        return told

    def fill(self, *, severity: Severity = Severity.ALERT, size: int = 4000) -> int:
        """Commit until nothing of this severity is taken any more; the number of the last one that was."""
        while not self.keeper.reading().lost:
            self.commit(event(self.seq + 1, severity=severity, size=size))
        return self.seq - 1

    def refuse_one(self, *, size: int) -> None:
        """Commit alerts until one more is refused."""
        before = self.keeper.reading().lost
        while self.keeper.reading().lost == before:
            self.commit(event(self.seq + 1, size=size))

    def held(self) -> list[int]:
        return [seq for (seq,) in self.ask("SELECT id & 1099511627775 FROM events ORDER BY id")]

    def ask(self, query: str, *, memory: bool = False) -> list[tuple[Any, ...]]:
        """What the file says, read past the outbox's own code."""
        path = self.memory if memory else self.path
        assert path is not None
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(query).fetchall()

    def change(self, statement: str) -> None:
        """Change the file past the outbox's own code, as a bad card does."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement)

    def damage_file(self, *, at: int = 4096 * 5 + 60, size: int = 200) -> None:
        """Overwrite some bytes of the stopped outbox."""
        with self.path.open("r+b") as file:
            file.seek(at)
            file.write(b"\xa5" * size)


def seqs(events: list[Stored]) -> list[int]:
    return [stored.position.seq for stored in events]
