"""Corrupt files: the service goes on, what can be read is saved, and what can't is named."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.core.errors import ConfigError
from edge.report.outbox import Loss, LossKind, Mode, Position
from edge.report.outbox import files as files_module
from edge.report.outbox.carve import carve, frames_beyond
from edge.report.outbox.packing import unpack
from edge.report.outbox.salvage import finish_exchange, is_suspected, rebuild, suspect
from edge.report.outbox.schema import PAGE_BYTES
from edge.report.outbox.spans import Span
from tests.report.outbox.device import EPOCH, WINDOW, Device, detection, event, seqs

NewDevice = Callable[..., Device]
ROWS = 60


def filled(device: Device) -> Device:
    """Sixty events in the file itself, none in its log."""
    for seq in range(1, ROWS + 1):
        device.commit(event(seq, size=900))
    device.stop()
    return device


def named(device: Device, cause: str = "damage") -> dict[str, tuple[Span, ...]]:
    return {loss.epoch: loss.spans for loss in device.keeper.tend() if loss.cause == cause}


def test_a_damaged_page_costs_its_own_rows_and_they_are_named(device: Device) -> None:
    filled(device).damage_file(at=PAGE_BYTES * 8 + 2000)
    device.start()

    saved = device.held()
    told = named(device)

    lost = sorted(set(range(1, ROWS + 1)) - set(saved))
    assert 0 < len(lost) <= 4
    assert told == {"": (), EPOCH: (Span(lost[0], lost[-1]), Span(ROWS + 1, None))}


@pytest.mark.parametrize(
    ("sound", "flipped"),
    [
        (b"events (id INTEGER PRIMARY", b"events (id INTEGER PRYMARY"),  # no key any more: row numbers read as NULL
        (b"losses (id INTEGER PRIMARY", b"losses (id INTEGER PRYMARY"),
        (b"epochs (number INTEGER PRIMARY", b"epochs (number INTEGER PRYMARY"),
        (b"indexpendingevents", b"indexpendiNgevents"),  # the name that says the tables are there
        (b"WHERE state = 0", b"WHERE state = 1"),
        (b"sends INTEGER", b"sendr INTEGER"),
    ],
)
def test_a_flipped_bit_in_a_definition_costs_nothing(device: Device, sound: bytes, flipped: bytes) -> None:
    device.commit(event(1))
    device.keeper.commit([], [Loss(LossKind.GAP, "refused", EPOCH, (Span(2, 2),))])
    device.stop()
    data = device.path.read_bytes()
    assert sound in data
    device.path.write_bytes(data.replace(sound, flipped))

    device.start()

    assert device.keeper.mode is Mode.DURABLE
    assert device.held() == [1]
    assert Span(2, 2) in named(device, "refused")[EPOCH]
    device.commit(event(3))
    assert sorted(seqs(device.reader.pending(10))) == [1, 3]


def test_the_damaged_file_is_set_aside_and_the_caller_is_told(device: Device) -> None:
    filled(device).damage_file(at=0, size=4096)
    before = device.path.read_bytes()
    device.start()

    reading = device.keeper.reading()

    (aside,) = reading.set_aside
    assert reading.mode is Mode.DURABLE
    assert aside.name == "outbox.db.damaged-20260101T000000Z"
    assert aside.read_bytes() == before
    assert device.held() == list(range(1, ROWS + 1))


def test_a_full_file_that_was_rebuilt_is_no_larger_and_still_tells_what_it_refused(device: Device) -> None:
    for share in (5, 3, 2, 1):
        device.refuse_one(size=700)
        held = device.held()
        device.reader.mark_sent(Position(EPOCH, seq) for seq in held)
        if share > 1:
            # what comes next is written over the oldest pages: rows and pages are in different orders
            device.reader.confirm(Position(EPOCH, held[len(held) // share]))
    before = device.keeper.reading().used_bytes
    suspect(device.path)

    told = [loss.cause for loss in device.keeper.tend()]

    assert device.keeper.reading().used_bytes <= before
    assert "space" in told


def test_without_room_to_pack_the_rebuilt_file_is_used_as_it_is(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.commit(event(1))

    def no_room(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files_module, "sync_file", no_room)
    suspect(device.path)

    device.keeper.tend()

    assert device.held() == [1]
    assert not device.path.with_name("outbox.db-packed").exists()


@pytest.mark.parametrize("time", [5, 1 << 50])
def test_an_event_whose_time_was_damaged_keeps_its_place(device: Device, time: int) -> None:
    for seq in range(1, 6):
        device.commit(event(seq))
        device.clock.advance(1)
    device.stop()
    device.change(f"UPDATE events SET committed_ms = {time} WHERE id & 1099511627775 = 3")

    device.start()

    assert device.keeper.mode is Mode.DURABLE
    assert seqs(device.reader.pending(10, in_order=True)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("state", [1, 2])
def test_an_event_that_reads_as_sent_and_never_was_is_sent(device: Device, state: int) -> None:
    for seq in (1, 2, 3):
        device.commit(event(seq))
    device.reader.mark_sent([Position(EPOCH, 1)])
    device.reader.confirm(Position(EPOCH, 2))  # the consumer has 2, though its acknowledgement was lost
    device.stop()
    device.change(f"UPDATE events SET state = {state} WHERE id & 1099511627775 = 3")

    device.start()

    assert seqs(device.reader.pending(10)) == [3]


def test_an_epoch_of_which_only_a_loss_is_left_may_have_lost_more(device: Device) -> None:
    device.commit(event(1), event(2))
    device.keeper.commit([], [Loss(LossKind.GAP, "refused", EPOCH, (Span(3, 3),))])
    device.stop()
    device.change("DELETE FROM events")
    device.change("DELETE FROM epochs")
    device.damage_file(at=0, size=100)

    device.start()

    assert named(device)[EPOCH] == (Span(1, 2), Span(4, None))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE clock SET kept_ms = NULL, boot = 'another'",
        "UPDATE clock SET base_ms = 'x'",
        "UPDATE clock SET boot = 5",
        "DELETE FROM clock",
    ],
)
def test_a_damaged_clock_stops_neither_side(device: Device, damage: str) -> None:
    device.commit(event(1))
    device.stop()
    device.change(damage)

    reader = device.new_reader()
    assert seqs(reader.pending(10)) == [1]  # the publisher may come up first
    reader.close()
    device.start()

    assert device.commit(event(2))
    assert sorted(seqs(device.reader.pending(10))) == [1, 2]


def test_losses_that_stand_in_the_log_in_many_versions_are_named_once_after_a_rebuild(device: Device) -> None:
    device.reader.pending(1)  # whoever has the file open keeps its log
    for seq in range(1, 400, 2):
        device.keeper.commit([], [Loss(LossKind.GAP, "refused", EPOCH, (Span(seq, seq),))])
    before = device.ask("SELECT count(*) FROM losses WHERE cause = 'refused'")
    suspect(device.path)

    device.keeper.tend()

    assert device.ask("SELECT count(*) FROM losses WHERE cause = 'refused'") == before


def test_one_set_aside_file_is_kept_the_newest(device: Device) -> None:
    for _ in range(3):
        device.commit(event(device.seq + 1))
        device.stop()
        device.damage_file(at=0, size=100)
        device.start()

    kept = sorted(path.name for path in device.path.parent.glob("*.damaged-*"))

    assert kept == [device.keeper.reading().set_aside[-1].name]


def test_a_file_of_rubbish_is_replaced_and_said_to_be_lost(device: Device) -> None:
    device.stop()
    device.path.write_bytes(Random(1).randbytes(50_000))
    device.start()

    assert device.keeper.reading().mode is Mode.DURABLE
    assert named(device) == {"": ()}
    assert device.commit(event(1))


def test_what_was_sent_and_confirmed_stays_so(device: Device) -> None:
    for seq in range(1, 31):
        device.commit(event(seq, size=900))
    device.reader.mark_sent(Position(EPOCH, seq) for seq in range(1, 21))
    device.reader.confirm(Position(EPOCH, 10))
    device.stop()
    device.damage_file(at=0, size=16)
    device.start()

    assert seqs(device.reader.unconfirmed(50)) == list(range(11, 21))
    assert seqs(device.reader.pending(50)) == list(range(21, 31))


def test_losses_and_dead_letters_survive_damage(device: Device) -> None:
    device.commit(event(1), event(2))
    device.reader.dead_letter(Position(EPOCH, 1), "oversize")
    device.keeper.commit([], [Loss(LossKind.GAP, "memory", "gone", (Span(5, None),))])
    device.stop()
    device.damage_file(at=0, size=16)
    device.start()

    told = {loss.cause: (loss.epoch, loss.spans) for loss in device.keeper.tend() if loss.epoch != ""}

    assert told["oversize"] == (EPOCH, (Span(1, 1),))
    assert told["memory"] == ("gone", (Span(5, None),))
    assert device.held() == [2]


def test_an_event_summed_up_does_not_come_back_from_a_freed_page(device: Device) -> None:
    device.commit(detection(1, size=20), event(2))
    loss = Loss(LossKind.GAP, "space", EPOCH, (Span(1, 1),))
    device.keeper.commit([], [loss])
    device.stop()
    device.damage_file(at=0, size=16)
    device.start()

    assert device.held() == [2]


def test_a_dead_letter_whose_gap_was_lost_is_named_again(device: Device) -> None:
    device.commit(event(1), event(2), event(3))
    device.reader.dead_letter(Position(EPOCH, 3), "oversize")
    device.change("UPDATE losses SET crc = 1")
    device.restart()

    assert named(device)[EPOCH] == (Span(3, None),)


def test_a_hole_is_not_taken_for_what_was_given_up(new_device: NewDevice) -> None:
    device = new_device(policy=replace(WINDOW, window_ms=1000))
    last = device.fill()
    device.reader.mark_sent(Position(EPOCH, seq) for seq in range(2, 100))
    device.clock.advance(6)
    device.commit(event(last + 2, size=4000))
    device.change("UPDATE events SET crc = 1 WHERE id & 1099511627775 = 1")
    device.restart()

    assert device.held()[0] > 2
    assert named(device)[EPOCH][0].first == 1


def test_what_memory_holds_is_not_named_as_lost(new_device: NewDevice) -> None:
    device = new_device(shelter=True)
    device.commit(event(1), event(2), event(3))
    device.faults.set(sqlite3.SQLITE_READONLY, 1)
    device.commit(event(4), event(5))
    device.stop()
    device.change("UPDATE events SET crc = 1 WHERE id & 1099511627775 = 2")
    device.start()

    assert device.held() == [1, 3, 4, 5]
    assert named(device)[EPOCH] == (Span(2, 2), Span(6, None))


def test_a_loss_without_an_end_stays_as_it_is(device: Device) -> None:
    device.commit(event(1), event(2), event(3))
    device.keeper.commit([], [Loss(LossKind.GAP, "damage", EPOCH, (Span(3, None),))])
    device.stop()
    device.damage_file(at=0, size=16)
    device.start()

    assert named(device) == {EPOCH: (Span(3, None),), "": ()}
    assert device.held() == [1, 2]


def test_an_epoch_whose_own_row_is_lost_is_known_from_its_events(device: Device) -> None:
    device.commit(event(1))
    device.change("DELETE FROM epochs")
    device.stop()
    device.damage_file(at=0, size=16)
    device.start()

    assert device.ask("SELECT epoch FROM epochs") == [(EPOCH,)]
    assert seqs(device.reader.pending(5)) == [1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET payload = x'00'",
        "UPDATE events SET payload = 'text'",
        "UPDATE events SET severity = 7",
        "UPDATE events SET epoch = CAST(epoch AS BLOB)",
        "UPDATE events SET state = 9",
        "UPDATE losses SET crc = 1",
        "UPDATE epochs SET cursor = 1",
        "PRAGMA user_version = 2",
        "DROP INDEX pending; DROP TABLE losses",
    ],
)
def test_a_value_that_can_not_be_is_damage(device: Device, change: str) -> None:
    device.commit(event(1))
    device.keeper.commit([], [Loss(LossKind.GAP, "memory", "other", (Span(1, 1),))])
    for statement in change.split(";"):
        device.change(statement)
    device.restart()

    assert len(device.keeper.reading().set_aside) == 1
    assert device.keeper.reading().mode is Mode.DURABLE
    assert "" in named(device)


def test_text_that_is_none_is_damage(device: Device) -> None:
    device.commit(event(1))
    device.change("UPDATE events SET topic = CAST(x'd9d9' AS TEXT)")
    device.restart()

    assert len(device.keeper.reading().set_aside) == 1


def test_another_programs_database_is_left_alone(device: Device) -> None:
    device.stop()
    device.path.unlink()
    with sqlite3.connect(device.path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = device.path.read_bytes()

    with pytest.raises(ConfigError, match="another program's database"):
        device.start()

    assert device.path.read_bytes() == before


def test_another_programs_database_that_comes_later_is_left_alone_too(new_device: NewDevice) -> None:
    device = new_device(shelter=True)
    device.faults.set(sqlite3.SQLITE_READONLY, 1)
    device.commit(event(1))
    for path in device.path.parent.iterdir():
        path.unlink()
    with sqlite3.connect(device.path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()

    device.clock.advance(11)
    device.keeper.tend()

    assert device.keeper.mode is Mode.VOLATILE
    assert "another program" in device.keeper.reading().trouble


def test_damage_found_by_the_reader_is_mended_by_the_writer(device: Device) -> None:
    device.commit(event(1), event(2), event(3))
    device.reader.depth()
    device.change("UPDATE events SET payload = x'00' WHERE id & 1099511627775 = 2")

    found = device.reader.pending(10)
    trouble = device.reader.trouble
    suspected = is_suspected(device.path)
    told = named(device)

    assert found == []
    assert "damaged" in trouble
    assert suspected
    assert not is_suspected(device.path)
    assert told == {"": (), EPOCH: (Span(2, 2),)}
    assert sorted(seqs(device.reader.pending(10))) == [1, 3]
    assert device.reader.trouble == ""


def test_a_row_that_vanishes_under_the_reader_is_damage(device: Device) -> None:
    device.commit(event(1))
    device.change("PRAGMA writable_schema = ON")
    device.stop()
    data = bytearray(device.path.read_bytes())
    device.start()
    device.commit(event(2))
    device.stop()
    device.path.write_bytes(data)
    device.start()

    assert seqs(device.reader.pending(10)) == [1]


def test_a_running_epoch_gets_no_gap_without_an_end(device: Device) -> None:
    device.commit(event(1), event(2))
    suspect(device.path)

    device.keeper.tend()
    device.commit(event(3))

    assert seqs(device.reader.pending(10, in_order=True)) == [1, 2, 3]
    assert device.ask("SELECT epoch, spans FROM losses") == [("", "")]


def cut_log(device: Device, *, keep: int) -> None:
    """Stop as a power cut does: the log stays, and one byte of a frame is not what it was."""
    log = device.path.with_name("outbox.db-wal").read_bytes()
    data = device.path.read_bytes()
    device.stop()
    device.path.write_bytes(data)
    torn = bytearray(log)
    torn[keep] ^= 1
    device.path.with_name("outbox.db-wal").write_bytes(torn)


def test_committed_events_behind_a_flipped_bit_of_the_log_are_saved(device: Device) -> None:
    for seq in range(1, 11):
        device.commit(event(seq, size=900))
    log_bytes = device.path.with_name("outbox.db-wal").stat().st_size
    cut_log(device, keep=log_bytes // 2)
    device.start()

    held = device.held()
    told = named(device, "torn")

    assert len(held) >= 9
    assert held[-1] == 10
    assert told[EPOCH][-1] == Span(11, None)


def test_a_damaged_head_of_the_log_costs_nothing(device: Device) -> None:
    for seq in range(1, 11):
        device.commit(event(seq, size=900))
    cut_log(device, keep=20)
    device.start()

    assert device.held() == list(range(1, 11))


def test_a_log_that_ends_with_a_commit_is_not_torn(device: Device) -> None:
    device.commit(event(1))
    log = device.path.with_name("outbox.db-wal")

    assert not frames_beyond(log, (log.stat().st_size - 32) // (24 + PAGE_BYTES))
    assert frames_beyond(log, 1)
    assert not frames_beyond(device.path.with_name("none"), 0)


def test_an_exchange_that_was_interrupted_is_finished(new_device: NewDevice) -> None:
    for steps in range(4):
        device = filled(new_device())
        rebuild(device.path, None)
        aside = device.path.with_name("outbox.db.old")
        # the order in which finish_exchange works: file, log, index, new file
        if steps > 0:
            device.path.rename(aside)
        if steps > 1:
            device.path.with_name("outbox.db-wal").unlink(missing_ok=True)
        if steps > 2:
            device.path.with_name("outbox.db-ready").rename(device.path)

        device.start()

        assert device.held() == list(range(1, ROWS + 1))
        assert not device.path.with_name("outbox.db-ready").exists()


def test_a_rebuild_that_was_interrupted_begins_again(device: Device) -> None:
    filled(device).damage_file(at=0, size=16)
    device.path.with_name("outbox.db-new").write_bytes(b"half")
    device.start()

    assert device.held() == list(range(1, ROWS + 1))


def test_the_old_log_goes_with_the_old_file(device: Device) -> None:
    for seq in range(1, 11):
        device.commit(event(seq, size=900))
    cut_log(device, keep=20)
    device.damage_file(at=0, size=16)
    rebuild(device.path, None)

    aside = finish_exchange(device.path, device.clock)

    assert aside is not None
    assert aside.with_name(aside.name + "-wal").exists()
    device.start()
    assert device.held() == list(range(1, 11))


def test_large_payloads_are_carved_from_their_overflow_pages(device: Device) -> None:
    device.commit(event(1, size=30_000), event(2, size=4_500))
    with_log = [values for _, values in carve(*files(device)) if len(values) == 14]
    device.stop()

    without = sorted(len(unpack(values[-1])) for _, values in carve(*files(device)) if len(values) == 14)

    assert with_log
    assert without == [4_500, 30_000]


def test_rows_of_no_table_of_ours_are_not_carved(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE weights (name TEXT, kilograms REAL, note TEXT)")
        connection.executemany("INSERT INTO weights VALUES (?, ?, ?)", [("a", 0.5, None), ("b", 1.0, "x")])
    connection.close()

    assert list(carve(tmp_path / "other.db", tmp_path / "none")) == [(2, ("b", 1, "x"))]


def files(device: Device) -> tuple[Path, Path]:
    return device.path, device.path.with_name("outbox.db-wal")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Forty events, small, middling and with overflow pages."""
    device = Device(tmp_path_factory.mktemp("pristine"), policy=WINDOW)
    for seq in range(1, 41):
        device.commit(event(seq, size=(100, 900, 6000)[seq % 3]))
    device.reader.dead_letter(Position(EPOCH, 3), "oversize")
    device.stop()
    return device.path.read_bytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_bytes_are_damaged_it_opens_and_saves_the_rest(
    pristine: bytes, new_device: NewDevice, data: st.DataObject
) -> None:
    device = new_device(policy=WINDOW)
    device.stop()
    page = data.draw(st.integers(0, len(pristine) // PAGE_BYTES - 1), label="page")
    flips = data.draw(st.lists(st.integers(0, PAGE_BYTES * 8 - 1), min_size=1, max_size=20), label="bits")
    damaged = bytearray(pristine)
    for flip in flips:
        damaged[page * PAGE_BYTES + flip // 8] ^= 1 << flip % 8
    device.path.write_bytes(damaged)

    device.start()
    held = device.held()
    gaps = [span for loss in device.keeper.tend() if loss.epoch == EPOCH for span in loss.spans]
    device.stop()

    accounted = set(held) | {seq for first, last in gaps for seq in range(first, (last or 40) + 1)}
    assert device.keeper.reading().mode is Mode.HELD
    assert set(range(1, 41)) <= accounted
    assert len(held) >= 40 - 24


def test_any_truncation_opens(pristine: bytes, new_device: NewDevice) -> None:
    for size in range(0, len(pristine), 3000):
        device = new_device(policy=WINDOW)
        device.stop()
        device.path.write_bytes(pristine[:size])
        device.start()

        assert device.keeper.mode is Mode.DURABLE
        assert device.commit(event(1, epoch="new"))
        device.stop()
