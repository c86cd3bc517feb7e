"""The reference consumer with a real broker: once, in order as asked for, and nothing passed over in silence."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge.client import Consumer, ConsumerSettings, Delivery, Notice, NoticeKind, StoreDamagedError, StoreError
from edge.core.errors import InUseError
from edge.wire.settings import BrokerSettings
from tests.brokers import Mosquitto
from tests.client.conftest import Follow, Follower
from tests.fakes_client import FakeDevice, event_json
from tests.plain_mqtt import PlainClient
from tests.scripted_broker import CONNECT, Packet, ScriptedBroker, obliging

pytestmark = pytest.mark.broker


def _cursor_reaches(follower: Follower, device: FakeDevice, epoch: str, seq: int) -> None:
    follower.wait_for(lambda: (epoch, seq) in device.cursors, while_waiting=device.look)


def test_repeats_are_dropped_and_the_rest_is_confirmed(follow: Follow, device: FakeDevice) -> None:
    follower = follow()

    for seq in (1, 2, 2, 3, 1, 3, 4):
        device.say(seq)

    assert follower.numbers(4) == [1, 2, 3, 4]
    assert follower.consumer.stats().repeats == 3
    _cursor_reaches(follower, device, "E1", 4)


def test_the_cursor_is_retained_so_that_a_device_that_was_away_finds_it(
    follow: Follow, device: FakeDevice, broker: Mosquitto
) -> None:
    follower = follow()
    device.say(1)
    _cursor_reaches(follower, device, "E1", 1)

    late = PlainClient(broker.port)
    late.subscribe("edge/gate/cursor/archive")
    late.ping()

    got = late.take()
    assert [(json.loads(message.payload), message.retain) for message in got] == [({"epoch": "E1", "seq": 1}, True)]
    late.close()


def test_a_missing_event_is_asked_for_and_comes(follow: Follow, device: FakeDevice) -> None:
    follower = follow()
    for seq in (1, 2, 5):
        device.say(seq)
    device.keep(3)
    device.keep(4)

    numbers = follower.numbers(5, while_waiting=device.look)

    assert numbers == [1, 2, 5, 3, 4]
    assert [(asked["epoch"], asked["from"], asked["to"]) for asked in device.asked] == [("E1", 3, 4)]
    assert [notice.kind for notice in follower.notices if notice.ranges] == [NoticeKind.GAP]
    _cursor_reaches(follower, device, "E1", 5)


def test_a_missing_event_is_asked_for_though_newer_ones_never_stop_coming(follow: Follow, device: FakeDevice) -> None:
    follower = follow()
    for seq in (1, 3):
        device.say(seq)
    device.keep(2)
    newer = itertools.count(1)

    def go_on() -> None:
        device.say(next(newer), epoch="E2")
        device.look()

    follower.wait_for(lambda: bool(device.asked), while_waiting=go_on)

    assert [(asked["epoch"], asked["from"], asked["to"]) for asked in device.asked] == [("E1", 2, 2)]
    _cursor_reaches(follower, device, "E1", 3)


def test_what_the_device_does_not_hold_any_more_is_said_and_passed_over(follow: Follow, device: FakeDevice) -> None:
    follower = follow()
    for seq in (1, 2, 5):
        device.say(seq)

    def lost() -> list[Notice]:
        return [notice for notice in follower.notices if notice.kind is NoticeKind.LOST]

    follower.wait_for(lambda: bool(lost()), while_waiting=device.look)

    assert [notice.ranges for notice in lost()] == [((3, 4),)]
    assert follower.consumer.stats().lost == 2
    _cursor_reaches(follower, device, "E1", 5)


def test_a_gap_event_names_what_will_not_come_and_nobody_asks(follow: Follow, device: FakeDevice) -> None:
    follower = follow(grace_s=30.0)

    device.say(1)
    device.say(4, type="gap", lost={"epoch": "E1", "cause": "space", "ranges": [[2, 3]]})

    _cursor_reaches(follower, device, "E1", 4)
    assert device.asked == []
    assert [notice.words for notice in follower.notices if notice.ranges] == [
        "gate: events 2-3 of epoch E1 are lost (space)"
    ]


def test_the_tail_of_an_epoch_is_asked_for_when_the_next_begins(follow: Follow, device: FakeDevice) -> None:
    follower = follow()
    device.say(1)
    device.keep(2)

    device.say(1, epoch="E2")

    found = [follower.next(while_waiting=device.look).key for _ in range(3)]
    assert found == ["gate/E1/1", "gate/E2/1", "gate/E1/2"]
    _cursor_reaches(follower, device, "E1", 2)


def test_a_device_that_keeps_nothing_is_not_asked_and_does_not_hold_up(follow: Follow, device: FakeDevice) -> None:
    device.tell("edge/gate/info", b'{"delivery": "memory"}', retain=True)
    follower = follow()

    for seq in (4, 5, 8):
        device.say(seq)

    _cursor_reaches(follower, device, "E1", 8)
    assert device.asked == []
    lost = [notice.ranges for notice in follower.notices if notice.kind is NoticeKind.LOST]
    assert lost == [((6, 7),)]  # 1 to 3 were before our time


def test_strict_order_holds_back_what_comes_early(follow: Follow, device: FakeDevice) -> None:
    follower = follow(strict_order=True)
    for seq in (1, 4, 2, 6):
        device.say(seq)
    device.keep(3)
    device.keep(5)

    assert follower.numbers(6, while_waiting=device.look) == [1, 2, 3, 4, 5, 6]


def test_strict_order_takes_epochs_one_after_the_other(follow: Follow, device: FakeDevice) -> None:
    follower = follow(strict_order=True)
    device.say(1, epoch="E1")
    device.say(3, epoch="E1")
    device.say(1, epoch="E2")
    device.keep(2, epoch="E1")

    found = [follower.next(while_waiting=device.look).key for _ in range(4)]

    assert found == ["gate/E1/1", "gate/E1/2", "gate/E1/3", "gate/E2/1"]


def test_what_came_while_the_consumer_was_away_is_there_when_it_returns(follow: Follow, device: FakeDevice) -> None:
    first = follow()
    device.say(1)
    assert first.numbers(1) == [1]
    first.close()
    for seq in (2, 3):
        device.say(seq)

    second = follow()

    assert second.numbers(2) == [2, 3]
    assert second.consumer.stats().repeats == 0


def test_a_broker_that_restarts_costs_nothing(follow: Follow, broker: Mosquitto, device: FakeDevice) -> None:
    follower = follow()
    device.say(1)
    assert follower.numbers(1) == [1]

    broker.kill()
    broker.start()
    follower.wait_for(lambda: follower.consumer.stats().connects == 2)
    after = FakeDevice(broker.port)
    after.say(2)

    assert follower.numbers(1) == [2]
    after.close()


def test_an_event_not_done_is_handed_over_again_and_says_so(follow: Follow, device: FakeDevice) -> None:
    first = follow()
    device.say(1)
    first.wait_for(lambda: first.consumer.stats().waiting == 1)
    taken = first.consumer.take(1.0)
    first.close()

    again = follow().next()

    assert taken is not None
    assert (taken.key, taken.may_repeat) == ("gate/E1/1", False)
    assert (again.key, again.may_repeat) == ("gate/E1/1", True)


def test_what_is_written_with_the_connection_stays_or_goes_with_the_striking_out(
    follow: Follow, device: FakeDevice
) -> None:
    follower = follow()
    device.say(1)
    follower.wait_for(lambda: follower.consumer.stats().waiting == 1)
    first = follower.consumer.take(1.0)
    assert first is not None

    with pytest.raises(ZeroDivisionError):
        _write_and_stumble(follower, first)
    second = follower.consumer.take(1.0)
    assert second is not None
    with follower.consumer.done_with(second) as connection:
        connection.execute("CREATE TABLE mine (seq INTEGER)")

    assert follower.consumer.stats().waiting == 0


def _write_and_stumble(follower: Follower, delivery: Delivery) -> None:
    with follower.consumer.done_with(delivery) as connection:
        connection.execute("CREATE TABLE mine (seq INTEGER)")
        raise ZeroDivisionError


def test_a_failing_event_rests_while_other_devices_go_on(follow: Follow, broker: Mosquitto, device: FakeDevice) -> None:
    follower = follow()
    other = FakeDevice(broker.port, "yard")
    device.say(1)
    device.say(2)
    follower.wait_for(lambda: follower.consumer.stats().waiting == 2)
    failing = follower.consumer.take(1.0)
    assert failing is not None

    follower.consumer.retry(failing, after_s=0.3)
    other.say(1)

    assert [follower.next().key for _ in range(3)] == ["yard/E1/1", "gate/E1/1", "gate/E1/2"]
    other.close()


def test_one_device_is_handed_over_one_at_a_time(follow: Follow, device: FakeDevice) -> None:
    follower = follow()
    device.say(1)
    device.say(2)
    follower.wait_for(lambda: follower.consumer.stats().waiting == 2)

    first = follower.consumer.take(1.0)

    assert first is not None
    assert follower.consumer.take(0.05) is None
    follower.consumer.done(first)
    assert follower.next().seq == 2


def test_one_that_failed_is_set_aside_and_tried_at_the_next_start(follow: Follow, device: FakeDevice) -> None:
    follower = follow()
    device.say(1)
    device.say(2)
    follower.wait_for(lambda: follower.consumer.stats().waiting == 2)
    bad = follower.consumer.take(1.0)
    assert bad is not None

    follower.consumer.fail(bad)
    assert follower.next().seq == 2
    follower.close()

    assert follow().next().seq == 1


def test_when_there_is_no_room_the_rest_stays_with_the_broker(follow: Follow, device: FakeDevice) -> None:
    follower = follow(most_waiting=10)

    for seq in range(1, 301):
        device.say(seq)
    follower.wait_for(lambda: follower.consumer.stats().waiting >= 10)

    # a batch is taken as a whole: the bound may be passed by one
    assert follower.consumer.stats().events <= 10 + 200
    assert follower.numbers(300) == list(range(1, 301))


@pytest.mark.parametrize(
    ("payload", "retain"),
    [(b"nonsense", False), (event_json(2, device="yard"), False), (event_json(2), True)],
    ids=["no JSON", "another device's name", "retained by somebody"],
)
def test_what_is_not_as_agreed_is_refused_and_said_once(
    follow: Follow, device: FakeDevice, payload: bytes, retain: bool
) -> None:
    topic = "edge/gate/camera/yard/event"
    if retain:
        device.tell(topic, payload, retain=True)
    follower = follow()
    for _ in range(0 if retain else 2):
        device.tell(topic, payload)
    device.say(1)

    assert follower.numbers(1) == [1]
    assert follower.consumer.stats().refused == (1 if retain else 2)
    assert len([notice for notice in follower.notices if notice.kind is NoticeKind.REFUSED]) == 1
    device.tell(topic, b"", retain=True)


def test_without_a_name_it_leaves_no_trace_at_the_broker(follow: Follow, device: FakeDevice, broker: Mosquitto) -> None:
    follower = follow(name=None, path=None)
    device.say(5)
    device.say(7)

    assert follower.numbers(2) == [5, 7]
    follower.wait_for(lambda: follower.consumer.stats().lost == 1, while_waiting=device.look)
    assert device.cursors == []
    assert device.asked == []


def test_one_device_can_be_followed_alone(follow: Follow, broker: Mosquitto, device: FakeDevice) -> None:
    follower = follow(device="gate")
    other = FakeDevice(broker.port, "yard")

    other.say(1)
    device.say(1)

    assert follower.next().key == "gate/E1/1"
    assert follower.consumer.take(0.1) is None
    other.close()


def test_two_processes_cannot_be_the_same_consumer(follow: Follow, broker: Mosquitto, tmp_path: Path) -> None:
    follow()
    second = Consumer(ConsumerSettings("archive", tmp_path / "archive.db"), BrokerSettings("127.0.0.1", broker.port))

    with pytest.raises(InUseError, match="another process follows"):
        second.open()


def test_a_damaged_file_is_set_aside_and_the_following_goes_on(
    follow: Follow, device: FakeDevice, tmp_path: Path
) -> None:
    (tmp_path / "archive.db").write_bytes(b"SQLite format 3\0" + b"\xa5" * 5000)
    follower = follow()

    device.say(1)

    assert follower.numbers(1) == [1]
    assert [path.name for path in tmp_path.glob("*.damaged-*")] == ["archive.db.damaged-1"]


def test_the_file_is_for_its_owner_alone(follow: Follow, tmp_path: Path) -> None:
    follow()

    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("archive.db*")} == {0}


def test_the_session_is_never_begun_clean_and_3_1_1_is_spoken_where_5_is_refused(tmp_path: Path) -> None:
    def only_3_1_1(packet: Packet) -> bytes | None:
        if packet.kind == CONNECT and packet.level == 5:
            return b"\x20\x03\x00\x84\x00"
        return b"\x90\x05" + packet.body[:2] + b"\x01\x01\x01" if packet.kind == 8 else obliging(packet)

    broker = ScriptedBroker(only_3_1_1)
    follower = Follower(broker.port, ConsumerSettings("archive", tmp_path / "a.db")).start()

    connects = [broker.next(CONNECT) for _ in range(2)]

    assert [(connect.level, connect.body[7] & 2) for connect in connects] == [(5, 0), (4, 0)]
    assert b"\x11\x00\x12\x75\x00" in connects[0].body  # session expiry: 14 days
    follower.close()
    broker.close()


_READER = """
import sys
import threading
from pathlib import Path
from edge.client import BrokerSettings, Consumer, ConsumerSettings
settings = ConsumerSettings("archive", Path(sys.argv[1]), grace_s=0.3)
with Consumer(settings, BrokerSettings("127.0.0.1", int(sys.argv[2]))) as consumer:
    print("following", flush=True)
    for delivery in consumer:
        with consumer.done_with(delivery) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS mine (device, epoch, seq)")
            connection.execute("INSERT INTO mine VALUES (?, ?, ?)", (delivery.device, delivery.epoch, delivery.seq))
"""


def test_killed_again_and_again_it_has_each_event_exactly_once(
    broker: Mosquitto, device: FakeDevice, tmp_path: Path
) -> None:
    path = tmp_path / "archive.db"
    command = [sys.executable, "-c", _READER, str(path), str(broker.port)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    seq = 0
    for _ in range(5):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(60):
            seq += 1
            device.say(seq)
            if seq % 3 == 0:
                device.say(seq)  # the wire repeats
            device.look()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()

    last = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    moment = threading.Event()
    for _ in range(1000):
        device.look()
        if ("E1", seq) in device.cursors and _rows(path) >= seq:
            break
        moment.wait(0.02)
    last.kill()
    last.wait()

    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT device, epoch, seq FROM mine").fetchall()
    connection.close()
    assert sorted(rows) == [("gate", "E1", number) for number in range(1, seq + 1)]


def _rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM mine").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def test_a_disk_that_refuses_does_not_end_the_iteration_and_is_said_once(tmp_path: Path) -> None:
    class OnABadDisk(Consumer):
        refusals = 2

        def take(self, timeout_s: float) -> Delivery | None:
            if self.refusals:
                self.refusals -= 1
                raise StoreError("archive.db: the disk is full")
            return Delivery("gate", "E1", 1, "yard", "gap", b"{}", may_repeat=False)

    notices: list[Notice] = []
    settings = ConsumerSettings("archive", tmp_path / "archive.db")
    consumer = OnABadDisk(settings, BrokerSettings("127.0.0.1", 1), tell=notices.append)

    delivery = next(iter(consumer))

    assert delivery.key == "gate/E1/1"
    assert [notice.words for notice in notices] == ["archive.db: the disk is full; tried again until it works"]


def test_a_file_that_is_found_damaged_ends_the_iteration(tmp_path: Path) -> None:
    class OnADamagedFile(Consumer):
        def take(self, timeout_s: float) -> Delivery | None:
            raise StoreDamagedError("archive.db: damaged")

    consumer = OnADamagedFile(ConsumerSettings("archive", tmp_path / "archive.db"), BrokerSettings("127.0.0.1", 1))

    with pytest.raises(StoreDamagedError):
        next(iter(consumer))
