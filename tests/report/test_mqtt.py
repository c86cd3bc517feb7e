"""Publishing to a real mosquitto, received by mosquitto_sub."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.core.clock import HandClock, SystemClock
from edge.core.values import Message
from edge.report.states import CameraState, camera_message
from edge.report.topics import Topics
from edge.wire.settings import BrokerSettings
from tests.brokers import PATIENCE_S, Brokers
from tests.fakes_report import Diary, Running, text_event

pytestmark = pytest.mark.broker
Run = Callable[..., Running]

TOPICS = Topics("gate")
INFO = Message(TOPICS.info(), b'{"schema":1}', qos=1, retain=True)
DISCOVERY = Message(TOPICS.discovery(), b"{}", qos=1, retain=True)
CAMERA = camera_message(TOPICS, "yard", CameraState.ONLINE)
COUNT = Message(TOPICS.count("yard", "person"), b"2", qos=0, retain=True)
HEALTH = Message(TOPICS.health(), b'{"state":"ok"}', qos=0, retain=True)
STATE = (HEALTH, COUNT, CAMERA, DISCOVERY, INFO)  # the wrong way round on purpose


def test_birth_messages_come_in_order_before_any_event(brokers: Brokers, run: Run) -> None:
    broker = brokers.start()
    subscriber = brokers.subscribe(broker, "#")
    running = Running(BrokerSettings("127.0.0.1", broker.port))
    for message in (text_event(TOPICS, "first"), *STATE):
        running.sink.send(message)

    running.start()

    topics = [received.topic for received in subscriber.take(7)]
    assert topics == [
        "edge/gate/status",
        "edge/gate/info",
        "homeassistant/device/gate/config",
        "edge/gate/camera/yard/status",
        "edge/gate/camera/yard/count/person",
        "edge/gate/health",
        "edge/gate/camera/yard/event",
    ]
    running.stop()


def test_state_is_retained_and_events_are_not(brokers: Brokers, run: Run) -> None:
    broker = brokers.start()
    early = brokers.subscribe(broker)
    running = run(broker.port)
    for message in (*STATE, text_event(TOPICS, "seen")):
        running.sink.send(message)
    early.next("edge/gate/camera/yard/event", "seen")

    late = brokers.subscribe(broker)
    running.sink.send(text_event(TOPICS, "seen later"))

    retained = {received.topic: received.retain for received in late.take(5)}
    assert retained == dict.fromkeys(
        (TOPICS.status(), TOPICS.info(), TOPICS.camera_status("yard"), COUNT.topic, HEALTH.topic), True
    )
    event = late.next("edge/gate/camera/yard/event")
    assert (event.payload, event.retain, event.qos) == ("seen later", False, 1)


def test_a_restarted_broker_gets_all_state_again(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start()
    running = run(broker.port)
    for message in STATE:
        running.sink.send(message)
    diary.wait_for("connected to the broker")

    broker.kill()
    diary.wait_for("the broker")
    broker.start()
    diary.wait_for("connected to the broker")

    subscriber = brokers.subscribe(broker, "#")
    found = {subscriber.next().topic for _ in range(6)}
    assert found == {message.topic for message in STATE} | {TOPICS.status()}


def test_events_of_an_outage_arrive_in_order_after_it(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start("persistence true\npersistence_location " + str(brokers.folder) + "/")
    subscriber = brokers.subscribe(broker, "edge/+/camera/+/event", "-c", "-i", "archive", "-V", "311")
    running = run(broker.port)
    diary.wait_for("connected to the broker")
    broker.stop()
    for number in range(60):
        running.sink.send(text_event(TOPICS, f"event {number}"))

    broker.start()

    assert [subscriber.next().payload for _ in range(60)] == [f"event {number}" for number in range(60)]


@pytest.mark.slow  # the broker keeps the will for five seconds, as it is asked to
def test_a_killed_device_is_told_offline_by_its_last_will(brokers: Brokers) -> None:
    broker = brokers.start()
    subscriber = brokers.subscribe(broker)
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(broker.port)], cwd=Path(__file__).parents[2])
    subscriber.next("edge/gate/status", "online")

    os.kill(child.pid, signal.SIGKILL)
    child.wait(PATIENCE_S)

    will = subscriber.next("edge/gate/status", "offline")
    assert will.qos == 1
    assert brokers.subscribe(broker).next("edge/gate/status").payload == "offline"


_CHILD = """
import sys
from edge.core.clock import SystemClock
from edge.report.mqtt import MqttSink
from edge.wire.settings import BrokerSettings
from edge.report.topics import Topics
sink = MqttSink(BrokerSettings("127.0.0.1", int(sys.argv[1])), topics=Topics("gate"), clock=SystemClock())
sink.open()
sink.run()
"""


def test_a_clean_stop_delivers_the_rest_and_says_offline(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start()
    subscriber = brokers.subscribe(broker)
    running = run(broker.port)
    diary.wait_for("connected to the broker")
    for number in range(100):
        running.sink.send(text_event(TOPICS, f"event {number}"))

    running.stop()

    events = [subscriber.next("edge/gate/camera/yard/event").payload for _ in range(100)]
    assert events == [f"event {number}" for number in range(100)]
    assert subscriber.next().payload == "offline"
    assert running.sink.stats().delivered >= 101


def test_detections_are_dropped_and_counted_without_a_connection(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start()
    running = Running(BrokerSettings("127.0.0.1", broker.port))
    running.start()
    diary.wait_for("connected to the broker")
    broker.kill()
    diary.wait_for("the broker closed the connection")
    running.sink.send(Message(TOPICS.detections("yard"), b"old", expiry_s=2))
    broker.start()
    diary.wait_for("connected to the broker")
    subscriber = brokers.subscribe(broker)
    subscriber.next("edge/gate/status", "online")
    running.sink.send(Message(TOPICS.detections("yard"), b"new", expiry_s=2))

    assert subscriber.next("edge/gate/camera/yard/detections").payload == "new"
    assert running.sink.stats().drops.disconnected == 1
    running.stop()


def test_a_wrong_password_is_said_clearly_and_tried_again_only_after_a_minute(
    brokers: Brokers, run: Run, diary: Diary
) -> None:
    (brokers.folder / "passwords").write_text("")
    subprocess.run(["mosquitto_passwd", "-b", brokers.folder / "passwords", "gate", "right"], check=True)
    broker = brokers.start(f"allow_anonymous false\npassword_file {brokers.folder}/passwords")
    clock = HandClock()
    settings = BrokerSettings("127.0.0.1", broker.port, username="gate", password="not-the-right-one")
    running = run(broker.port, settings=settings, clock=clock)

    words = diary.wait_for("broker.password")
    broker.log.wait_for(lambda line: "disconnected, not authorised" in line)
    wait_s = float(diary.wait_for("next attempt in").split()[-2])
    clock.advance(wait_s + 0.1)
    broker.log.wait_for(lambda line: "disconnected, not authorised" in line)

    assert 60 <= wait_s <= 75
    assert f"127.0.0.1:{broker.port}" in words
    assert running.sink.stats().is_refused
    assert not running.sink.stats().ever_connected
    assert not any("not-the-right-one" in line for line in diary.seen)


def test_the_right_password_is_welcome(brokers: Brokers, run: Run, diary: Diary) -> None:
    (brokers.folder / "passwords").write_text("")
    subprocess.run(["mosquitto_passwd", "-b", brokers.folder / "passwords", "gate", "right"], check=True)
    broker = brokers.start(f"allow_anonymous false\npassword_file {brokers.folder}/passwords")

    running = run(broker.port, settings=BrokerSettings("127.0.0.1", broker.port, username="gate", password="right"))

    diary.wait_for("connected to the broker")
    assert running.sink.stats().protocol == "5"


def test_a_denied_message_is_reported_and_not_counted_as_delivered(brokers: Brokers, run: Run, diary: Diary) -> None:
    (brokers.folder / "acl").write_text("topic write edge/gate/status\ntopic read edge/#\n")
    broker = brokers.start(f"acl_file {brokers.folder}/acl")
    running = run(broker.port)
    diary.wait_for("connected to the broker")

    running.sink.send(text_event(TOPICS, "secret"))

    words = diary.wait_for("does not let gate publish")
    assert "edge/gate/camera/yard/event" in words
    running.stop()
    stats = running.sink.stats()
    assert stats.drops.denied == 1
    assert stats.delivered + stats.unheard == 2  # online and offline


def test_a_message_larger_than_the_broker_takes_blocks_nothing(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start("max_packet_size 500")
    subscriber = brokers.subscribe(broker)
    running = run(broker.port)
    diary.wait_for("connected to the broker")

    running.sink.send(text_event(TOPICS, "x" * 600))
    running.sink.send(text_event(TOPICS, "small"))

    assert subscriber.next("edge/gate/camera/yard/event").payload == "small"
    assert running.sink.stats().drops.oversize == 1
    assert running.sink.stats().connects == 1
    assert any("larger" in line and "500 bytes" in line for line in diary.seen)


def test_a_message_of_exactly_the_largest_size_goes_through(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start("max_packet_size 500")
    subscriber = brokers.subscribe(broker)
    running = run(broker.port)
    diary.wait_for("connected to the broker")
    head = 1 + 2 + 2 + len(TOPICS.event("yard")) + 2 + 1

    running.sink.send(text_event(TOPICS, "x" * (500 - head)))
    running.sink.send(text_event(TOPICS, "y" * (501 - head)))
    running.sink.send(text_event(TOPICS, "end"))

    payloads = [subscriber.next("edge/gate/camera/yard/event").payload[0] for _ in range(2)]
    assert payloads == ["x", "e"]


def test_a_second_device_of_the_same_name_is_reported(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start()
    run(broker.port)
    run(broker.port)

    diary.wait_for("does another client use the id gate?")


def test_close_returns_in_time_when_the_broker_has_frozen(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start()
    running = run(broker.port)
    diary.wait_for("connected to the broker")
    broker.freeze()
    running.sink.send(text_event(TOPICS, "never acknowledged"))
    clock = SystemClock()
    began_ns = clock.monotonic_ns()

    running.stop(1.0)

    assert (clock.monotonic_ns() - began_ns) / 1e9 < 2.0
