"""A disk that fails: nothing raises, nothing is silently lost, and the state is said aloud."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from edge.core.clock import HandClock
from edge.report.outbox import Mode, OutboxReader, Position, Replay, files, marks
from edge.report.outbox import database as database_module
from edge.report.outbox.files import door
from edge.report.outbox.spans import Span
from edge.report.outbox.store import Store
from edge.report.outbox.trouble import (
    OutboxBusyError,
    OutboxDamagedError,
    OutboxError,
    OutboxInUseError,
    OutboxUnavailableError,
    translated,
)
from edge.report.outbox.values import Entry, Loss, LossKind
from tests.report.outbox.device import EPOCH, WINDOW, Device, event, seqs

NewDevice = Callable[..., Device]
SHUT = sqlite3.SQLITE_READONLY


def sheltered(new_device: NewDevice) -> Device:
    """A device whose disk has just gone, with two events on it and two in memory."""
    device = new_device(shelter=True)
    device.commit(event(1), event(2))
    device.faults.set(SHUT, 1)
    device.commit(event(3), event(4))
    return device


def test_without_a_disk_events_go_to_memory_and_are_sent_from_there(new_device: NewDevice) -> None:
    device = sheltered(new_device)

    assert device.keeper.mode is Mode.VOLATILE
    assert device.keeper.reading().pending == 2
    assert "expected a writable disk" in device.keeper.reading().trouble
    assert seqs(device.reader.pending(10)) == [1, 2, 3, 4]


def test_when_the_disk_is_back_memory_is_moved_to_it(new_device: NewDevice) -> None:
    device = sheltered(new_device)
    device.reader.mark_sent([Position(EPOCH, 3)])
    device.reader.confirm(Position(EPOCH, 3))
    device.clock.advance(11)

    device.commit(event(5))

    assert device.keeper.mode is Mode.DURABLE
    assert device.keeper.reading().trouble == ""
    assert device.held() == [1, 2, 3, 4, 5]
    assert seqs(device.reader.pending(10)) == [5, 4]
    assert device.memory is not None
    assert not device.memory.exists()


def test_memory_outlives_the_process(new_device: NewDevice) -> None:
    device = sheltered(new_device)

    device.restart()

    assert device.held() == [1, 2, 3, 4]


def test_losses_in_memory_move_too(new_device: NewDevice) -> None:
    device = sheltered(new_device)
    device.keeper.commit([], [Loss(LossKind.GAP, "memory", "other", (Span(1, 2),))])
    told_in_memory = [loss.epoch for loss in device.keeper.tend()]
    device.clock.advance(11)

    told = device.keeper.tend()

    assert told_in_memory == ["other"]
    assert [(loss.epoch, loss.count) for loss in told] == [("other", 2)]


def test_what_does_not_fit_when_memory_is_moved_is_named(new_device: NewDevice) -> None:
    device = new_device(shelter=True)
    last = device.fill()
    device.faults.set(SHUT, 1)
    for seq in range(last + 2, last + 6):
        device.commit(event(seq, size=4000))
    device.clock.advance(11)

    told = device.keeper.tend()

    assert [loss.spans for loss in told] == [(Span(last + 1, last + 5),)]


def test_a_damaged_row_in_memory_is_named_when_it_is_moved(new_device: NewDevice) -> None:
    device = sheltered(new_device)
    assert device.memory is not None
    with sqlite3.connect(device.memory) as connection:
        connection.execute("UPDATE events SET payload = x'00' WHERE id & 1099511627775 = 3")
    connection.close()
    device.clock.advance(11)

    device.keeper.tend()

    assert device.held() == [1, 2, 4]
    assert device.ask("SELECT cause, spans FROM losses") == [("damage", "3-3")]


def test_the_disk_is_not_tried_at_every_event(new_device: NewDevice) -> None:
    device = sheltered(new_device)
    device.faults.set(SHUT, 1000)
    device.clock.advance(9)

    device.commit(event(5))

    assert device.faults.left == 1000


def test_a_disk_that_fails_again_is_left_again(new_device: NewDevice) -> None:
    device = sheltered(new_device)
    device.faults.set(SHUT, 1)
    device.clock.advance(11)

    device.commit(event(5))

    assert device.keeper.mode is Mode.VOLATILE
    assert seqs(device.reader.pending(10, in_order=True)) == [1, 2, 3, 4, 5]


def test_on_a_nearly_full_disk_events_go_to_memory(new_device: NewDevice) -> None:
    device = new_device(shelter=True)
    device.commit(event(1))
    device.free = 0.01
    device.commit(event(2, size=9000))
    device.clock.advance(11)
    device.commit(event(3, size=9000))
    while_low = device.keeper.mode

    device.free = 0.5
    device.clock.advance(11)
    device.commit(event(4))

    assert while_low is Mode.VOLATILE
    assert device.keeper.mode is Mode.DURABLE
    assert device.held() == [1, 2, 3, 4]


def test_without_any_place_the_caller_keeps_the_events(device: Device) -> None:
    device.faults.set(SHUT, 1)
    taken = device.commit(event(1))
    reading = device.keeper.reading()
    told = device.keeper.tend()
    device.clock.advance(11)

    later = device.commit(event(1))

    assert (taken, reading.mode, reading.is_full, told) == (False, Mode.HELD, True, [])
    assert later
    assert device.held() == [1]


def test_a_shelter_that_fails_too_holds_nothing(new_device: NewDevice, folder: Path) -> None:
    device = new_device(shelter=True)
    (device.folder / "memory").write_text("not a folder")
    device.faults.set(SHUT, 1)

    assert not device.commit(event(1))
    assert device.keeper.mode is Mode.HELD


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_WRITE])
def test_after_a_failed_write_everything_is_written_anew(device: Device, code: int) -> None:
    device.commit(event(1))
    before = device.path.stat().st_ino
    device.faults.set(code, 1, ("COMMIT",))

    taken = device.commit(event(2))

    assert taken
    assert device.keeper.mode is Mode.DURABLE
    assert device.held() == [1, 2]
    assert device.path.stat().st_ino != before
    assert device.keeper.reading().set_aside == ()
    assert [path for path in device.path.parent.iterdir() if "damaged" in path.name] == []


def test_a_file_that_can_not_be_written_anew_is_left(device: Device) -> None:
    device.commit(event(1))
    device.path.with_name("outbox.db-new").mkdir()
    device.faults.set(sqlite3.SQLITE_IOERR_FSYNC, 1, ("COMMIT",))

    taken = device.commit(event(2))
    device.path.with_name("outbox.db-new").rmdir()
    device.clock.advance(11)

    assert not taken
    assert device.commit(event(2))
    assert device.held() == [1, 2]


def test_another_process_that_writes_is_waited_for(device: Device) -> None:
    device.faults.set(sqlite3.SQLITE_BUSY, 3, ("BEGIN",))

    tended = device.keeper.tend()
    taken = device.commit(event(1))
    device.faults.clear()

    assert tended == []
    assert not taken
    assert device.keeper.mode is Mode.DURABLE
    assert device.commit(event(1))


def test_a_busy_file_has_nothing_to_tell_for_now(device: Device) -> None:
    device.keeper.commit([], [Loss(LossKind.GAP, "memory", EPOCH, (Span(1, 1),))])
    device.faults.set(sqlite3.SQLITE_BUSY, 1, ("SELECT",))

    assert device.keeper.tend() == []
    assert len(device.keeper.tend()) == 1


def test_two_writers_do_not_share_a_file(device: Device) -> None:
    with pytest.raises(OutboxInUseError, match=rf"another edge at it, process {os.getpid()}; stop one") as caught:
        Device(device.folder)

    assert caught.value.exit_code == 75
    assert device.commit(event(1))


def test_one_that_cannot_be_named_is_refused_as_well(device: Device) -> None:
    (device.path.with_name("outbox.db-writer")).write_bytes(b"\xff")

    with pytest.raises(OutboxInUseError, match="another edge at it; stop one"):
        Device(device.folder)


def test_a_file_that_another_takes_while_the_disk_fails_is_not_written(device: Device) -> None:
    device.faults.set(SHUT, 1)
    assert not device.commit(event(1))
    second = Device(device.folder)

    device.clock.advance(60.0)
    taken = device.commit(event(1))

    assert not taken
    assert "another edge" in device.keeper.reading().trouble
    second.stop()


def test_trouble_while_looking_is_said_and_not_raised(device: Device) -> None:
    device.commit(event(1))
    device.faults.set(sqlite3.SQLITE_IOERR_READ, 1, ("PRAGMA",))
    version = device.keeper.version()
    device.faults.set(sqlite3.SQLITE_IOERR_READ, 1, ("SELECT",))
    reading = device.keeper.reading()
    device.faults.set(sqlite3.SQLITE_IOERR_READ, 1, ("SELECT",))
    told = device.keeper.tend()

    assert version == -1
    assert "disk I/O error" in reading.trouble or "injected" in reading.trouble
    assert told == []
    assert device.keeper.mode is Mode.HELD
    assert device.keeper.version() == -1


def test_the_reader_keeps_its_marks_until_they_can_be_written(device: Device) -> None:
    device.commit(event(1), event(2), event(3))
    device.reader.depth()
    device.faults.set(SHUT, 2)

    device.reader.mark_sent([Position(EPOCH, 1)])
    device.reader.confirm(Position(EPOCH, 1))
    trouble = device.reader.trouble
    meanwhile = seqs(device.reader.pending(10, without={Position(EPOCH, 2)}))

    assert "writable" in trouble
    assert meanwhile == [3]
    assert seqs(device.reader.pending(10)) == [2, 3]
    assert device.reader.unconfirmed(10) == []
    assert device.reader.trouble == ""


def test_a_mark_that_is_owed_keeps_an_event_from_being_sent_again(device: Device) -> None:
    device.commit(event(1), event(2))
    device.reader.depth()
    device.faults.set(SHUT, 2)
    device.reader.mark_sent([Position(EPOCH, 1)])

    assert seqs(device.reader.pending(10)) == [2]


def test_a_reader_that_can_not_read_finds_nothing(device: Device) -> None:
    device.commit(event(1))
    device.faults.set(sqlite3.SQLITE_CANTOPEN, 1, ("SELECT",))

    found = device.reader.pending(10)

    assert found == []
    assert seqs(device.reader.pending(10)) == [1]


def test_a_reader_without_a_writer_does_not_touch_a_torn_log(device: Device) -> None:
    for seq in range(1, 6):
        device.commit(event(seq, size=900))
    log = device.path.with_name("outbox.db-wal")
    torn = bytearray(log.read_bytes())
    data = device.path.read_bytes()
    device.stop()
    torn[len(torn) // 2] ^= 1
    device.path.write_bytes(data)
    log.write_bytes(torn)

    early = device.new_reader()
    found, trouble = early.pending(10), early.trouble
    kept = log.read_bytes()
    device.start()

    assert (found, kept) == ([], bytes(torn))
    assert "ends with a commit" in trouble
    assert device.held()[-1] == 5
    assert early.pending(10) != []
    early.close()


def test_a_reader_that_fails_to_open_beside_a_writer_leaves_its_log_alone(device: Device) -> None:
    device.commit(event(1))
    log = device.path.with_name("outbox.db-wal")
    before = log.stat().st_ino
    device.faults.set(sqlite3.SQLITE_IOERR_READ, 1, ("PRAGMA",))

    device.reader.pending(10)

    assert log.stat().st_ino == before
    assert seqs(device.reader.pending(10)) == [1]


def test_a_log_that_was_being_kept_is_put_back(device: Device) -> None:
    for seq in range(1, 4):
        device.commit(event(seq))
    log = device.path.with_name("outbox.db-wal")
    data, saved = device.path.read_bytes(), log.read_bytes()
    device.stop()
    device.path.write_bytes(data)
    device.path.with_name("outbox.db-kept").write_bytes(saved)
    device.start()

    assert device.held() == [1, 2, 3]


def test_a_shelter_left_over_and_damaged_is_removed(new_device: NewDevice) -> None:
    device = sheltered(new_device)
    device.stop()
    assert device.memory is not None
    device.memory.write_bytes(b"rubbish" * 1000)
    device.start()

    assert device.keeper.mode is Mode.DURABLE
    assert not device.memory.exists()


def test_a_shelter_left_over_that_can_not_be_opened_is_left(new_device: NewDevice) -> None:
    device = sheltered(new_device)
    device.stop()
    assert device.memory is not None
    for path in device.memory.parent.iterdir():
        path.unlink()
    device.memory.mkdir()
    device.start()

    assert device.keeper.mode is Mode.DURABLE
    assert device.memory.exists()


def test_a_folder_that_exists_keeps_its_mode(new_device: NewDevice) -> None:
    device = new_device()
    device.stop()
    device.path.parent.chmod(0o755)
    device.start()

    assert device.path.parent.stat().st_mode & 0o777 == 0o755


def test_a_file_system_without_a_write_ahead_log_is_unavailable(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as memory,
        pytest.raises(OutboxUnavailableError, match="without a write-ahead log"),
        translated(tmp_path),
    ):
        database_module.prepare(memory, log_bytes=4096, synchronous="FULL")


def test_errors_are_told_apart() -> None:
    def translate(error: Exception) -> None:
        with translated(Path("x")):
            raise error

    def coded(code: int) -> sqlite3.Error:
        error = sqlite3.OperationalError("x")
        error.sqlite_errorcode = code
        return error

    with pytest.raises(OutboxBusyError):
        translate(coded(sqlite3.SQLITE_BUSY_SNAPSHOT))
    with pytest.raises(OutboxDamagedError):
        translate(coded(sqlite3.SQLITE_CORRUPT_INDEX))
    with pytest.raises(OutboxDamagedError):
        translate(coded(sqlite3.SQLITE_IOERR_SHORT_READ))
    with pytest.raises(OutboxUnavailableError) as full:
        translate(coded(sqlite3.SQLITE_FULL))
    with pytest.raises(OutboxUnavailableError) as suspect:
        translate(coded(sqlite3.SQLITE_IOERR_FSYNC))
    with pytest.raises(OutboxDamagedError):
        translate(UnicodeDecodeError("utf-8", b"\xd9", 0, 1, "invalid"))
    with pytest.raises(sqlite3.ProgrammingError):
        translate(sqlite3.ProgrammingError("a list is no value"))
    assert (full.value.is_suspect, suspect.value.is_suspect) == (False, True)


def test_a_closed_outbox_takes_nothing(device: Device) -> None:
    device.stop()
    device.stop()

    assert device.keeper.reading().mode is Mode.HELD
    assert device.keeper.commit([Entry(event(1))]), "after a while it is opened again"


def test_a_store_that_was_not_opened_says_so(folder: Path) -> None:
    store = Store(folder / "outbox.db", policy=WINDOW, clock=HandClock())

    with pytest.raises(OutboxUnavailableError, match="expected an open outbox"):
        store.commit([Entry(event(1))])


def test_the_door_is_closed_to_others(folder: Path) -> None:
    with door(folder / "x", alone=False), door(folder / "x", alone=False):
        pass
    assert (folder / "x-door").stat().st_mode & 0o777 == 0o600


def test_the_window_policy_counts_sends(new_device: NewDevice) -> None:
    device = new_device(policy=WINDOW)
    device.commit(event(1))
    device.reader.mark_sent([Position(EPOCH, 1)])
    device.reader.replay(EPOCH, 1, 1)

    (again,) = device.reader.pending(1)

    assert again.sends == 1
    assert again.is_replayed


def test_a_file_that_is_not_there_just_now_is_not_taken_for_an_empty_one(device: Device) -> None:
    """As between the two renames of an exchange, or when the writer was killed there."""
    device.commit(event(1), event(2), event(3))
    device.reader.mark_sent([Position(EPOCH, 1)])
    device.path.rename(device.path.with_name("moved"))

    with pytest.raises(OutboxError, match="expected an outbox, found none yet"):
        device.reader.replay(EPOCH, 1, 3)
    device.reader.confirm(Position(EPOCH, 2))
    device.path.with_name("moved").rename(device.path)

    assert seqs(device.reader.pending(10)) == [3]
    assert device.reader.trouble == ""


def test_a_file_without_its_tables_is_not_taken_for_an_empty_one(folder: Path) -> None:
    (folder / "outbox.db").touch()
    reader = OutboxReader(folder / "outbox.db", policy=WINDOW, clock=HandClock())

    with pytest.raises(OutboxError, match="expected an outbox, found none yet"):
        reader.replay(EPOCH, 1, 3)


def test_a_reader_that_comes_while_a_file_is_exchanged_waits_for_the_new_one(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.commit(event(1))
    beside = device.path.with_name("moved")
    has_begun, is_asked_for = threading.Event(), threading.Event()

    def exchange() -> None:
        with door(device.path, alone=True):
            device.path.rename(beside)
            has_begun.set()
            is_asked_for.wait(20)
            beside.rename(device.path)

    def knock(path: Path, *, alone: bool) -> AbstractContextManager[None]:
        is_asked_for.set()
        return door(path, alone=alone)

    writer = threading.Thread(target=exchange)
    writer.start()
    has_begun.wait(20)
    monkeypatch.setattr(files, "door", knock)
    found = device.reader.replay(EPOCH, 1, 1)
    writer.join()

    assert found.held == (Span(1, 1),)


def test_an_event_that_moves_from_memory_to_the_disk_while_a_replay_looks_is_found(
    new_device: Callable[..., Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    device = new_device(shelter=True)
    device.faults.set(SHUT, 1)
    device.commit(event(1))
    ask = marks.replay

    def ask_and_let_it_move(*arguments: Any) -> Replay:
        answer = ask(*arguments)
        device.clock.advance(60.0)
        device.keeper.tend()
        return answer

    monkeypatch.setattr(marks, "replay", ask_and_let_it_move)

    assert device.reader.replay(EPOCH, 1, 1).held == (Span(1, 1),)
