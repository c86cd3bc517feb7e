"""The writer's thread: what detection sees of it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from edge.core.clock import HandClock, SystemClock
from edge.report.outbox import Keeper, Loss, LossKind, Mode, OutboxReading, OutboxWriter, Outgoing, Position
from edge.report.outbox import writer as writer_module
from edge.report.outbox.spans import Span, merge
from edge.report.outbox.values import Entry
from tests.report.outbox.device import CURSOR, EPOCH, Device, event
from tools.faults.consumer import telling

PATIENCE_S = 20.0


class ScriptedKeeper:
    """Keeps what it is given, fails when it is told to, and lets a test wait for what it has done."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.dropped: list[Loss] = []
        self.refusals = 0
        self.broken = 0
        self.poison: int | None = None
        self.due: list[Loss] = []
        self.gate = threading.Event()
        self.gate.set()
        self.done = threading.Condition()
        self.closed = False
        self.clock = HandClock()
        self.tended = 0
        self.tend_error: Exception | None = None

    group_bytes = 64 * 1024

    def open(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def commit(self, entries: list[Entry], dropped: tuple[Loss, ...] = ()) -> bool:
        self.gate.wait(PATIENCE_S)
        seqs = [entry.record.seq for entry in entries]
        with self.done:
            if self.broken:
                self.broken -= 1
                raise RuntimeError("a mistake")
            if self.poison in seqs:
                raise OverflowError("Python int too large to convert to SQLite INTEGER")
            if self.refusals:
                self.refusals -= 1
                return False
            self.groups += [seqs] if seqs else []
            self.dropped += dropped
            self.done.notify_all()
        return True

    def tend(self) -> list[Loss]:
        with self.done:
            self.tended += 1
            self.done.notify_all()
        error, self.tend_error = self.tend_error, None
        if error is not None:
            raise error
        due, self.due = self.due, []
        return due

    def version(self) -> int:
        return 1

    def reading(self) -> OutboxReading:
        return OutboxReading(mode=Mode.DURABLE, pending=sum(map(len, self.groups)))

    def wait_for_tending(self, times: int) -> None:
        with self.done:
            assert self.done.wait_for(lambda: self.tended >= times, PATIENCE_S)

    def wait_for(self, seqs: list[int]) -> None:
        with self.done:
            assert self.done.wait_for(lambda: list(chain.from_iterable(self.groups)) == seqs, PATIENCE_S), self.groups


class Numbering:
    """Makes events that tell of losses."""

    def __init__(self) -> None:
        self.told: list[Loss] = []

    def __call__(self, loss: Loss) -> Outgoing:
        self.told.append(loss)
        return telling(loss, Position(EPOCH, 1000 + len(self.told)))


@pytest.fixture
def keeper() -> ScriptedKeeper:
    return ScriptedKeeper()


@pytest.fixture
def writer(keeper: ScriptedKeeper) -> Iterator[OutboxWriter]:
    made = make_writer(keeper)
    made.start()
    yield made
    keeper.gate.set()
    made.stop(PATIENCE_S)


def make_writer(keeper: Any) -> OutboxWriter:
    return OutboxWriter(keeper, Numbering(), clock=keeper.clock)


def test_events_are_committed_in_groups_and_in_order(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    for seq in range(1, 101):
        writer.append(event(seq))

    keeper.wait_for(list(range(1, 101)))

    assert max(map(len, keeper.groups)) <= writer_module.GROUP


def test_a_group_is_no_larger_than_the_log_takes(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.gate.clear()
    for seq in range(1, 11):
        writer.append(event(seq, size=30_000))
    keeper.gate.set()

    keeper.wait_for(list(range(1, 11)))

    assert max(map(len, keeper.groups)) == 2


def test_a_disk_that_stands_still_does_not_hold_up_detection(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.gate.clear()

    for seq in range(1, 501):
        writer.append(event(seq))
    waiting = writer.reading().waiting
    keeper.gate.set()

    assert waiting == 500
    keeper.wait_for(list(range(1, 501)))


@pytest.mark.parametrize(("size", "fitting"), [(10, writer_module.WAITING), (60_000, 70)])
def test_what_memory_can_not_hold_is_refused_whole_and_named(
    keeper: ScriptedKeeper, writer: OutboxWriter, size: int, fitting: int
) -> None:
    keeper.gate.clear()
    for seq in range(1, fitting + 11):
        writer.append(event(seq, size=size))
    lost = writer.reading().lost
    keeper.gate.set()

    keeper.wait_for(list(range(1, fitting + 1)))
    writer.append(event(fitting + 11))
    keeper.wait_for([*range(1, fitting + 1), fitting + 11])

    assert lost == 10
    assert {(loss.kind, loss.cause) for loss in keeper.dropped} == {(LossKind.GAP, "memory")}
    assert merge(span for loss in keeper.dropped for span in loss.spans) == (Span(fitting + 1, fitting + 10),)


def test_a_group_that_finds_no_place_is_tried_again(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.refusals = 2

    writer.append(event(1))

    keeper.wait_for([1])


def test_losses_are_kept_until_they_are_written(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.gate.clear()
    for seq in range(1, writer_module.WAITING + 2):
        writer.append(event(seq, size=10))
    keeper.refusals = 3
    keeper.gate.set()

    keeper.wait_for(list(range(1, writer_module.WAITING + 1)))

    assert sum(loss.count for loss in keeper.dropped) == 1


def test_an_event_that_no_file_can_hold_takes_no_other_with_it(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.poison = 2
    for seq in (1, 2, 3):
        writer.append(event(seq))

    keeper.wait_for([1, 3])

    assert [(loss.cause, loss.spans) for loss in keeper.dropped] == [("invalid", (Span(2, 2),))]


def test_an_error_of_its_own_does_not_end_the_writer(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.tend_error = RuntimeError("a mistake")
    keeper.clock.advance(2)
    writer.append(event(1))
    keeper.wait_for_tending(2)
    writer.append(event(2))

    keeper.wait_for([1, 2])

    assert writer.is_alive()


def test_losses_survive_an_error_of_its_own(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.gate.clear()
    for seq in range(1, writer_module.WAITING + 2):
        writer.append(event(seq, size=10))
    keeper.broken = 3
    keeper.gate.set()

    keeper.wait_for(list(range(1, writer_module.WAITING + 1)))

    assert sum(loss.count for loss in keeper.dropped) == 1


def test_the_file_is_tended_once_a_second_whatever_happens(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    for second in range(1, 4):
        keeper.clock.advance(1)
        writer.append(event(second))
        keeper.wait_for_tending(second + 1)
    for times in (5, 6):
        keeper.clock.advance(1)
        keeper.wait_for_tending(times)
    writer.stop(PATIENCE_S)

    assert writer.reading().pending == 3


def test_losses_that_are_due_are_told_in_the_callers_thread(keeper: ScriptedKeeper) -> None:
    loss = Loss(LossKind.GAP, "space", EPOCH, (Span(5, 6),))
    keeper.due = [loss]
    numbering = Numbering()
    writer = OutboxWriter(keeper, numbering, clock=keeper.clock)  # type: ignore[arg-type]
    writer.start()

    writer.append(event(1))
    writer.tick()
    keeper.wait_for([1001, 1])
    writer.stop(PATIENCE_S)

    assert numbering.told == [loss]


def test_stopping_commits_what_waits(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.gate.clear()
    for seq in range(1, 101):
        writer.append(event(seq))
    keeper.gate.set()

    stopped = writer.stop(PATIENCE_S)

    assert stopped
    assert list(chain.from_iterable(keeper.groups)) == list(range(1, 101))
    assert keeper.closed
    assert not writer.is_alive()


def test_stopping_does_not_wait_for_a_disk_that_stands_still(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.gate.clear()
    writer.append(event(1))

    assert not writer.stop(0.05)


def test_stopping_does_not_wait_for_a_disk_that_refuses(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    keeper.refusals = 1_000_000
    writer.append(event(1))

    assert not writer.stop(PATIENCE_S)
    assert not writer.is_alive()


def test_a_writer_that_was_never_started_stops(keeper: ScriptedKeeper) -> None:
    assert make_writer(keeper).stop()
    assert keeper.closed


def test_the_reading_is_what_the_keeper_said_last(keeper: ScriptedKeeper, writer: OutboxWriter) -> None:
    assert writer.reading().mode is Mode.DURABLE


def test_it_works_on_a_real_file(folder: Path) -> None:
    device = Device(folder)
    device.stop()
    keeper = Keeper(device.path, volatile_path=None, policy=CURSOR, clock=SystemClock())
    writer = OutboxWriter(keeper, Numbering(), clock=SystemClock())
    writer.start()
    for seq in range(1, 201):
        writer.append(event(seq))
    writer.append(event(201, label="half a pair \ud800"))
    stopped = writer.stop(PATIENCE_S)

    device.start()

    assert stopped
    assert device.held() == list(range(1, 201))
    assert device.ask("SELECT cause, spans FROM losses") == [("invalid", "201-201")]
    assert device.keeper.reading().mode is Mode.DURABLE
    assert sqlite3.threadsafety == 3
    device.stop()
