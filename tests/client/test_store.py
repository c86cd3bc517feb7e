"""The consumer's file after damage: what was confirmed to a device and not handed over is not forgotten."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.client import Notice, NoticeKind
from edge.client.book import Book
from edge.client.deliveries import Deliveries, Delivery
from edge.client.payloads import read_event
from edge.client.recovery import Doubt
from edge.client.store import Store
from edge.core.clock import HandClock
from edge.core.errors import InUseError
from tests.client.conftest import Follow
from tests.fakes_client import FakeDevice, event_json

PAGE = 4096
PADDING = "x" * 1500  # two events to a page


def fill(path: Path, epochs: dict[str, int], *, handed: int = 0) -> None:
    """Take events 1 to n of each epoch; ``handed`` of each are done."""
    store = Store(path)
    store.open()
    book = Book(store, strict_order=False)
    with store.transaction():
        for epoch, last in epochs.items():
            for seq in range(1, last + 1):
                book.take("gate", epoch, seq)
                payload = event_json(seq, epoch=epoch, padding=PADDING)
                store.add(read_event("edge/gate/camera/yard/event", payload), in_turn=True)
        book.save()
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM waiting WHERE seq <= ?", (handed,))


def damage(path: Path, seq: int) -> None:
    """Overwrite the page in which this event lies, as a worn card does."""
    content = bytearray(path.read_bytes())
    place = content.index(f'"seq": {seq},'.encode()) // PAGE * PAGE
    content[place : place + PAGE] = b"\xa5" * PAGE
    path.write_bytes(content)


def waiting(path: Path) -> list[Delivery]:
    deliveries = Deliveries(path, clock=HandClock(), on_room=lambda: None)
    deliveries.open()
    found = []
    while (delivery := deliveries.take(0.0)) is not None:
        found.append(delivery)
        deliveries.done(delivery)
    deliveries.close()
    return found


def test_what_can_be_read_of_a_damaged_file_is_kept_and_the_rest_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    fill(path, {"E1": 30, "E2": 10}, handed=4)
    damage(path, 9)

    store = Store(path)
    doubts = store.open()
    book = Book(store, strict_order=False)
    book.load()
    store.close()

    kept = {(delivery.epoch, delivery.seq) for delivery in waiting(path)}
    everything = {("E1", seq) for seq in range(1, 31)} | {("E2", seq) for seq in range(1, 11)}
    doubted = {(doubt.epoch, seq) for doubt in doubts for span in doubt.ranges for seq in range(span[0], span[1] + 1)}
    assert kept | doubted == everything
    assert not kept & doubted
    assert ("E1", 9) in doubted
    assert len(kept) >= 25
    assert {(doubt.epoch, doubt.ranges) for doubt in doubts} == {
        (epoch, tuple(progress.missing)) for epoch, progress in book.epochs("gate").items() if progress.missing
    }
    assert [each.name for each in tmp_path.glob("*.damaged-*")] == ["c.db.damaged-1"]


def test_no_more_is_in_doubt_than_can_have_waited_and_the_newest_of_it(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    fill(path, {"E1": 30, "E2": 10}, handed=30)
    fill_again = event_json(11, epoch="E2", padding=PADDING)
    store = Store(path)
    store.open()
    with store.transaction():
        store.add(read_event("edge/gate/camera/yard/event", fill_again), in_turn=True)
    store.close()
    damage(path, 11)

    store = Store(path, most_waiting=15)
    doubts = store.open()
    store.close()

    assert doubts == [Doubt("gate", "E1", ((26, 30),)), Doubt("gate", "E2", ((1, 10),))]


def test_an_event_in_doubt_that_comes_again_says_that_it_may_be_known(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    fill(path, {"E1": 20})
    damage(path, 9)
    store = Store(path)
    doubts = store.open()
    assert doubts[0].ranges[0][0] <= 9

    with store.transaction():
        for seq in (9, 21):
            store.add(read_event("edge/gate/camera/yard/event", event_json(seq)), in_turn=True)
    store.close()

    marks = {delivery.seq: delivery.may_repeat for delivery in waiting(path)}
    assert (marks[9], marks[20], marks[21]) == (True, False, False)


def test_a_file_of_which_nothing_can_be_read_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "c.db"
    path.write_bytes(b"\xa5" * 5 * PAGE)

    store = Store(path)
    doubts = store.open()
    store.close()

    assert doubts == []
    assert "which events waited in it is not known" in caplog.text


def test_a_kill_in_the_middle_of_beginning_anew_loses_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    fill(path, {"E1": 20})
    damage(path, 9)
    (tmp_path / "c.db.new").write_bytes(b"half a file")

    store = Store(path)
    store.open()
    store.close()

    assert len(waiting(path)) >= 14


def test_what_waited_for_its_turn_is_handed_over_when_order_is_not_asked_for_any_more(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    strict = Store(path, strict_order=True)
    strict.open()
    with strict.transaction():
        strict.add(read_event("edge/gate/camera/yard/event", event_json(3)), in_turn=False)
    strict.close()

    store = Store(path)
    store.open()
    store.close()

    assert [delivery.seq for delivery in waiting(path)] == [3]


def test_a_second_process_is_told_who_is_the_first(tmp_path: Path) -> None:
    first = Store(tmp_path / "c.db")
    first.open()

    with pytest.raises(InUseError, match=r"another process follows as this consumer, number \d+") as caught:
        Store(tmp_path / "c.db").open()

    first.close()
    assert caught.value.exit_code == 75


@pytest.mark.broker
def test_what_was_confirmed_and_lost_with_the_file_is_asked_for_and_comes(
    follow: Follow, device: FakeDevice, tmp_path: Path
) -> None:
    path = tmp_path / "archive.db"
    first = follow(path=path)
    for seq in range(1, 21):
        device.say(seq, padding=PADDING)
    first.wait_for(lambda: ("E1", 20) in device.cursors, while_waiting=device.look)
    first.close()
    damage(path, 9)

    again = follow(path=path)
    found = [again.next(while_waiting=device.look) for _ in range(20)]

    assert sorted(delivery.seq for delivery in found) == list(range(1, 21))
    assert {9} <= {delivery.seq for delivery in found if delivery.may_repeat}
    told = [notice for notice in again.notices if notice.kind is NoticeKind.GAP]
    assert "may not have been handed over" in told[0].words
    assert again.consumer.stats().lost == 0


@pytest.mark.broker
def test_what_was_lost_with_the_file_and_the_device_has_no_more_is_said_to_be_lost(
    follow: Follow, device: FakeDevice, tmp_path: Path
) -> None:
    path = tmp_path / "archive.db"
    first = follow(path=path)
    for seq in range(1, 5):
        device.say(seq, is_held=False, padding=PADDING)
    first.wait_for(lambda: ("E1", 4) in device.cursors, while_waiting=device.look)
    first.close()
    damage(path, 1)

    again = follow(path=path)

    def lost() -> list[Notice]:
        return [notice for notice in again.notices if notice.kind is NoticeKind.LOST]

    again.wait_for(lambda: bool(lost()), while_waiting=device.look)
    assert lost()[0].ranges[0][0] == 1


def test_after_a_power_cut_what_waits_may_have_been_handed_over_and_says_so(tmp_path: Path) -> None:
    """Striking out is not synced one by one: the last of it may be undone by the cut."""
    fill(tmp_path / "c.db", {"E1": 2})
    running = Store(tmp_path / "c.db", boot_id="before")
    running.open()
    shutil.copytree(tmp_path, tmp_path / "disk")  # what the disk has, in the moment of the cut
    running.close()

    after = Store(tmp_path / "disk" / "c.db", boot_id="after")
    after.open()
    after.close()

    assert [delivery.may_repeat for delivery in waiting(tmp_path / "disk" / "c.db")] == [True, True]


@pytest.mark.parametrize("boot_id", ["before", "after"], ids=["killed", "stopped in good order"])
def test_what_was_never_handed_over_does_not_say_that_it_may_be_known(tmp_path: Path, boot_id: str) -> None:
    fill(tmp_path / "c.db", {"E1": 2})
    running = Store(tmp_path / "c.db", boot_id="before")
    running.open()
    if boot_id == "after":
        running.close()
    shutil.copytree(tmp_path, tmp_path / "disk")

    after = Store(tmp_path / "disk" / "c.db", boot_id=boot_id)
    after.open()
    after.close()

    assert [delivery.may_repeat for delivery in waiting(tmp_path / "disk" / "c.db")] == [False, False]
    if boot_id == "before":
        running.close()
