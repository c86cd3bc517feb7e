"""Random histories of an outbox against a model of what it promises.

The model is small: what was committed must be delivered, or a delivered event must say that it won't be. Each
identity stands for one payload for ever. Crashes are copies of the files as they are (what a kill leaves), reboots
start the clock again, damage flips bytes, and faults make SQLite fail where a disk would.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from edge.core.clock import HandClock
from edge.core.events import Severity
from edge.report.outbox import Keeper, OutboxReader, Outgoing, Policy, Position, Stored
from edge.report.outbox.packing import unpack
from edge.report.outbox.reader import LIVE_MS
from edge.report.outbox.spans import from_text
from edge.report.outbox.values import SMALLEST_BOUND, Entry
from tools.faults.consumer import BookKeeper, padding, telling
from tools.faults.faulty import Faults

CAMERAS = ("yard", "door")
LABELS = ("person", "car")
DRAIN_ROUNDS = 400


class BootClock(HandClock):
    """A clock that can be booted again."""

    def __init__(self) -> None:
        super().__init__()
        self.boots = 0

    def boot_id(self) -> str:
        return f"boot-{self.boots}"

    def reboot(self) -> None:
        self.boots += 1
        self._monotonic_ns = 5_000_000_000


@dataclass
class Machine:
    """One device with its outbox, broker and consumer, driven step by step."""

    folder: Path
    has_consumer: bool = True
    max_bytes: int = SMALLEST_BOUND
    clock: BootClock = field(default_factory=BootClock)

    def __post_init__(self) -> None:
        self.run = 0
        self.seq = 0
        self.lives = 0
        self.free = 0.5
        self.faults = Faults()
        self.made: dict[Position, bytes] = {}
        self.committed: set[Position] = set()
        self.acknowledged: set[Position] = set()
        self.waiting: list[Entry] = []
        self.consumer = BookKeeper()
        self.expired_after_ms = 3600_000
        self.is_damaged = False
        self.gone_with_memory: set[Position] = set()
        self._home = self.folder / "life-0"
        self._start()

    # what the device does

    def append(self, severity: Severity, size: int, which: int) -> None:
        position = self._next()
        payload = json.dumps(
            {"epoch": position.epoch, "seq": position.seq, "pad": padding(size, position.seq)}
        ).encode()
        self.made[position] = payload
        wall_ms = round(self.clock.utc_now().timestamp() * 1000)
        record = Outgoing(
            position.epoch,
            position.seq,
            "edge/gate/camera/yard/event",
            payload,
            severity,
            CAMERAS[which % 2],
            LABELS[which // 2 % 2],
            wall_ms,
        )
        self.waiting.append(Entry(record))

    def commit(self) -> None:
        for group in self._groups():
            if not self.keeper.commit(group):
                return
            self.committed |= {entry.record.position for entry in group}
            del self.waiting[: len(group)]

    def tend(self) -> None:
        for loss in self.keeper.tend():
            record = telling(loss, self._next())
            self.made[Position(record.epoch, record.seq)] = record.payload
            self.waiting.append(Entry(record, settles=loss))

    def send(self, limit: int, *, acknowledge: bool = True, in_order: bool = False) -> int:
        events = self.reader.pending(limit, in_order=in_order)
        order = [event.position for event in events]
        assert not in_order or order == sorted(order), f"asked for in order, got {order}"
        assert in_order or [e.live for e in events] == sorted((e.live for e in events), reverse=True), (
            "live events first"
        )
        self._receive(events)
        if acknowledge:
            self.acknowledged.update(order)
            self.reader.mark_sent(order)
        return len(events)

    def _groups(self) -> list[list[Entry]]:
        """What waits, in groups as the writer makes them."""
        groups: list[list[Entry]] = []
        size = 0
        for entry in self.waiting[:32]:
            size += len(entry.record.payload)
            if not groups or size > self.keeper.group_bytes:
                groups.append([])
                size = len(entry.record.payload)
            groups[-1].append(entry)
        return groups

    def _receive(self, events: list[Stored]) -> None:
        for event in events:
            assert event.is_replayed or event.age_ms < LIVE_MS, f"{event.position} is late and not called replayed"
            assert event.is_replayed or event.position not in self.acknowledged, f"{event.position} again, not replayed"
            self._check_read(event.position, event.payload)
            self.consumer.take(event)

    def confirm(self) -> None:
        for cursor in self.consumer.cursors():
            self.reader.confirm(cursor)

    def replay(self, first: int, last: int) -> None:
        answer = self.reader.replay(self._epoch(), first, last)
        named = [n for a, b in (*answer.held, *answer.missing) for n in range(a, (b or a) + 1)]
        assert sorted(named) == list(range(first, last + 1)), f"replay of {first}..{last} answered {answer}"

    def dead_letter(self) -> None:
        for event in self.reader.pending(1):
            self.reader.dead_letter(event.position, "oversize")

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # what happens to it

    def restart(self) -> None:
        """A clean stop and a new process."""
        while self.waiting and self.keeper.commit(self.waiting[:1]):
            self.committed.add(self.waiting.pop(0).record.position)
        self.keeper.close()
        self.reader.close()
        self._start()

    def kill(self) -> None:
        """The process is gone between two system calls; the files stay as they are."""
        self._move_on(shutil.copytree)
        self._start()

    def cut_power(self) -> None:
        """As ``kill``, and memory is lost too; every commit was synced, so the files on the disk are whole."""
        self.gone_with_memory |= in_file(self._home / "memory" / "outbox.db")
        self._move_on(lambda old, new: shutil.copytree(old, new, ignore=lambda *_: ["memory"]))
        self.clock.reboot()
        self._start()

    def damage(self, random: Random, flips: int) -> None:
        """As ``kill``, and then bytes of the file or its log are not what they were."""
        self._move_on(shutil.copytree)
        for name in ("outbox.db", "outbox.db-wal"):
            path = self._home / "disk" / name
            data = bytearray(path.read_bytes()) if path.exists() else bytearray()
            for _ in range(flips if data else 0):
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            if data:
                path.write_bytes(data)
        self.is_damaged = True
        self._start()

    def fail(self, code: int, count: int) -> None:
        """The next statements that write fail with this SQLite code."""
        self.faults.set(code, count)

    # what must be true

    def settle(self) -> None:
        """Everything works again: after a while nobody waits for anything, and nothing is unaccounted for."""
        self.faults.clear()
        self.free = 0.5
        quiet = 0
        for _ in range(DRAIN_ROUNDS):
            self.clock.advance(61 if self.has_consumer else 3601)
            before = len(self.waiting)
            self.tend()
            self.commit()
            sent = self.send(50)
            self.confirm()
            quiet = 0 if before or sent or self.waiting else quiet + 1
            if quiet == 4:
                break
        assert quiet == 4, f"still busy after {DRAIN_ROUNDS} rounds: {self.keeper.reading()}"
        self.check_accounts()

    def check_accounts(self) -> None:
        assert not self.consumer.contradictions, f"one identity, two payloads: {self.consumer.contradictions}"
        for position, payload in self.consumer.got.items():
            assert self.made.get(position) == payload, f"{position} is not what was made"
        lost = [position for position in self.committed if not self.consumer.accounts_for(position)]
        if self.is_damaged and self.consumer.told_of_unknown:
            # an epoch of which the damaged file has not kept a single row: the gap without an epoch stands for it
            lost = [position for position in lost if position.epoch in self.consumer.epochs()]
        lost = [position for position in lost if position not in self.gone_with_memory]
        if lost:
            raise AssertionError(f"{len(lost)} committed and neither delivered nor named: {sorted(lost)[:5]}")

    def check_size(self) -> None:
        used = sum(path.stat().st_size for path in (self._home / "disk").glob("outbox.db*") if "-shm" not in path.name)
        aside = sum(path.stat().st_size for path in (self._home / "disk").glob("outbox.db.damaged*"))
        assert used - aside <= self.max_bytes, f"{used - aside} bytes on the disk, {self.max_bytes} allowed"

    def close(self) -> None:
        self.keeper.close()
        self.reader.close()

    def _start(self) -> None:
        self.faults.clear()  # a new process opens the file before anything else happens to it
        self.run += 1
        self.seq = 0
        self.waiting = []
        policy = Policy(max_bytes=self.max_bytes, has_consumer=self.has_consumer, window_ms=self.expired_after_ms)
        disk, memory = self._home / "disk" / "outbox.db", self._home / "memory" / "outbox.db"
        self.keeper = Keeper(
            disk,
            volatile_path=memory,
            policy=policy,
            clock=self.clock,
            free=lambda _: self.free,
            connect=self.faults.connect,
        )
        self.reader = OutboxReader(disk, volatile_path=memory, policy=policy, clock=self.clock)
        if self.run % 3 == 0:
            self._receive(self.reader.pending(3))  # the publisher came up first
        self.keeper.open()

    def _move_on(self, copy: Callable[[Path, Path], object]) -> None:
        old = self._home
        self.lives += 1
        self._home = self.folder / f"life-{self.lives}"
        copy(old, self._home)
        for index in self._home.rglob("*-shm"):
            index.unlink()  # every process that shared it is gone
        self.close()
        shutil.rmtree(old)

    def _check_read(self, position: Position, payload: bytes) -> None:
        assert self.made.get(position) == payload, f"{position} reads as something else than was made"

    def _epoch(self) -> str:
        return f"epoch-{self.run:04d}"

    def _next(self) -> Position:
        self.seq += 1
        return Position(self._epoch(), self.seq)


def in_file(path: Path) -> set[Position]:
    """Everything that a file holds, names as lost or tells of, read without the outbox's own code."""
    if not path.exists():
        return set()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        events = connection.execute("SELECT epoch, id & 1099511627775, payload FROM events").fetchall()
        losses = connection.execute("SELECT epoch, spans FROM losses").fetchall()
    told = [json.loads(unpack(payload)).get("loss") for _, _, payload in events]
    spans = [(epoch, span) for epoch, text in losses for span in from_text(text)]
    spans += [(loss["epoch"], span) for loss in told if loss for span in loss["spans"]]
    named = {(epoch, seq) for epoch, (first, last) in spans for seq in range(first, (last or first) + 1)}
    return {Position(epoch, seq) for epoch, seq in {*((epoch, seq) for epoch, seq, _ in events), *named}}


DISK_CODES = (
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CORRUPT,
)
