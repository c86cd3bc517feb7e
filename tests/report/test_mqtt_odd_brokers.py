"""Brokers as they should not be: old, mute, strict, broken. Scripted, because no real one does this on command."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from edge.core.clock import SystemClock
from edge.core.values import Message
from edge.report.mqtt import CLOSE_TIMEOUT_S
from edge.report.topics import Topics
from edge.wire.settings import BrokerSettings, Pace
from tests.fakes_report import Diary, Running, text_event
from tests.scripted_broker import (
    CONNECT,
    PUBLISH,
    WELCOME_V5,
    WELCOME_V311,
    Packet,
    Script,
    ScriptedBroker,
    obliging,
)

Run = Callable[..., Running]
Make = Callable[[Script], ScriptedBroker]

TOPICS = Topics("gate")


def _in_turn(*scripts: Script) -> Script:
    """A script per connection; the last one stays."""
    return lambda packet: scripts[min(packet.connection, len(scripts) - 1)](packet)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        (lambda _packet: b"", "did not answer within"),
        (lambda packet: WELCOME_V5 if packet.kind == CONNECT else b"", "no acknowledgement for"),
    ],
    ids=["never answers", "never acknowledges"],
)
def test_a_mute_broker_is_left_after_the_time_for_an_answer(
    script: Make, run: Run, diary: Diary, does: Script, words: str
) -> None:
    broker = script(does)
    pace = Pace(backoff_first_s=0.05, backoff_longest_s=0.1, acknowledge_s=0.3)

    run(broker.port, pace=pace)

    diary.wait_for(words)
    assert [broker.next(CONNECT).connection for _ in range(2)] == [0, 1]


@pytest.mark.parametrize(
    "does",
    [lambda _packet: b"", lambda packet: WELCOME_V5 if packet.kind == CONNECT else b""],
    ids=["never answers", "never acknowledges"],
)
def test_close_returns_in_time_from_a_mute_broker(script: Make, run: Run, does: Script) -> None:
    broker = script(does)
    running = run(broker.port)
    broker.next(CONNECT)
    clock = SystemClock()
    began_ns = clock.monotonic_ns()

    running.stop(0.5)

    assert (clock.monotonic_ns() - began_ns) / 1e9 < 1.5
    assert CLOSE_TIMEOUT_S < 5  # where no time is given


def test_unacknowledged_events_are_sent_again_by_the_next_connection(script: Make, run: Run) -> None:
    def cuts_at_the_second_event(packet: Packet) -> bytes | None:
        return None if packet.body.endswith(b"two") else obliging(packet)

    broker = script(_in_turn(cuts_at_the_second_event, obliging))
    running = run(broker.port)
    for text in ("one", "two", "three"):
        running.sink.send(text_event(TOPICS, text))

    found = [(packet.connection, packet.body[-3:]) for packet in _events(broker, until=b"three")]

    assert [text for connection, text in found if connection == 1][-2:] == [b"two", b"ree"]
    assert running.sink.stats().drops.overflow == 0


def test_no_more_messages_are_under_way_than_the_broker_asked_for(script: Make, run: Run, diary: Diary) -> None:
    unacknowledged = 0
    most = 0

    def one_at_a_time(packet: Packet) -> bytes | None:
        nonlocal unacknowledged, most
        if packet.kind == CONNECT:
            return b"\x20\x06\x00\x00\x03\x21\x00\x01"  # receive maximum 1
        if packet.kind == PUBLISH and packet.qos:
            unacknowledged += 1
            most = max(most, unacknowledged)
            unacknowledged -= 1
            return b"\x40\x02" + packet.number
        return b""

    broker = script(one_at_a_time)
    running = run(broker.port)
    for number in range(30):
        running.sink.send(text_event(TOPICS, f"{number:02}"))

    texts = [packet.body[-2:] for packet in _events(broker, until=b"29")]

    assert texts == [b"%02d" % number for number in range(30)]
    assert most == 1
    assert diary.seen.count("connected to the broker, MQTT 5") == 1


def test_the_window_is_twenty_where_the_broker_sets_none(script: Make, run: Run, diary: Diary) -> None:
    broker = script(lambda packet: WELCOME_V5 if packet.kind == CONNECT else b"")  # acknowledges nothing
    running = run(broker.port, pace=Pace(acknowledge_s=0.5, backoff_first_s=5.0))
    for number in range(50):
        running.sink.send(text_event(TOPICS, f"{number:02}"))

    for _ in range(20):
        assert broker.next(PUBLISH).connection == 0
    diary.wait_for("no acknowledgement for")

    left = [broker.packets.get_nowait() for _ in range(broker.packets.qsize())]
    assert not [packet for packet in left if packet.kind == PUBLISH]


def test_garbage_from_the_broker_ends_a_connection_but_not_the_publishing(script: Make, run: Run, diary: Diary) -> None:
    chance = random.Random(1)
    garbage = [bytes(chance.randrange(256) for _ in range(chance.randrange(1, 200))) for _ in range(20)]
    wrong_answers: list[Script] = [lambda packet, bad=bad: bad if packet.kind == CONNECT else None for bad in garbage]
    after_welcome: list[Script] = [
        lambda packet, bad=bad: WELCOME_V5 + bad if packet.kind == CONNECT else None for bad in garbage
    ]
    pace = Pace(backoff_first_s=0.001, backoff_longest_s=0.002, acknowledge_s=0.1)
    broker = script(_in_turn(*wrong_answers, *after_welcome, _either))

    running = run(broker.port, pace=pace)
    running.sink.send(text_event(TOPICS, "still here"))

    assert broker.next(CONNECT).connection == 0
    while True:
        packet = broker.next(PUBLISH)
        if packet.connection >= 40 and packet.body.endswith(b"still here"):
            break
    assert running.thread.is_alive()


@pytest.mark.parametrize("topic", ["edge/gate/#", "edge/gate/\ud800", ""])
def test_a_topic_that_is_none_is_counted_and_blocks_nothing(script: Make, run: Run, topic: str) -> None:
    broker = script(obliging)
    running = run(broker.port)

    running.sink.send(Message(topic, b"bad", qos=1))
    running.sink.send(text_event(TOPICS, "good"))

    assert _next_event(broker).body.endswith(b"good")
    assert running.sink.stats().drops.refused == 1
    assert running.sink.stats().connects == 1


def test_detections_carry_their_expiry_and_events_none(script: Make, run: Run, diary: Diary) -> None:
    broker = script(obliging)
    running = run(broker.port)
    diary.wait_for("connected to the broker")

    running.sink.send(Message(TOPICS.detections("yard"), b"{}", expiry_s=2))
    running.sink.send(text_event(TOPICS, "e"))

    found = {packet.topic: packet.body for packet in (broker.next(PUBLISH) for _ in range(3))}
    assert found[TOPICS.detections("yard")].endswith(b"\x05\x02\x00\x00\x00\x02{}")  # property 2, two seconds
    assert found[TOPICS.event("yard")].endswith(b"\x00e")


def test_the_will_is_retained_at_qos_1_and_waits_five_seconds(script: Make, run: Run) -> None:
    broker = script(obliging)

    run(broker.port)

    body = broker.next(CONNECT).body
    assert body[7] == 0b0010_1110  # will retained, QoS 1, will, clean start
    assert b"\x05\x18\x00\x00\x00\x05\x00\x10edge/gate/status\x00\x07offline" in body
    assert b"\x11\x00\x00\x00\x00" in body  # session expiry 0
    assert b"\x00\x04gate" in body


def test_an_exhausted_quota_delays_an_event_but_does_not_lose_it(script: Make, run: Run) -> None:
    refused = False

    def once(packet: Packet) -> bytes | None:
        nonlocal refused
        if packet.kind == PUBLISH and packet.body.endswith(b"event") and not refused:
            refused = True
            return b"\x40\x03" + packet.number + b"\x97"
        return obliging(packet)

    broker = script(once)
    running = run(broker.port)

    running.sink.send(text_event(TOPICS, "event"))

    assert [packet.body[-5:] for packet in (_next_event(broker), _next_event(broker))] == [b"event", b"event"]


def test_nobody_listening_is_counted_apart_from_delivered(script: Make, run: Run, diary: Diary) -> None:
    def nobody(packet: Packet) -> bytes | None:
        if packet.kind == PUBLISH and packet.qos:
            return b"\x40\x03" + packet.number + b"\x10"
        return obliging(packet)

    broker = script(nobody)
    running = run(broker.port)
    diary.wait_for("connected to the broker")
    running.sink.send(text_event(TOPICS, "unheard"))
    running.stop()

    stats = running.sink.stats()
    assert (stats.delivered, stats.unheard) == (0, 3)


def test_a_session_taken_over_is_named_and_not_fought_for(script: Make, run: Run, diary: Diary) -> None:
    broker = script(lambda packet: b"\xe0\x02\x8e\x00" if packet.kind == PUBLISH else obliging(packet))

    running = run(broker.port)

    assert "two devices must not share a name" in diary.wait_for("same id gate")
    assert float(diary.wait_for("next attempt in").split()[-2]) >= 60
    assert running.sink.stats().is_refused


def test_a_broker_that_is_not_there_is_told_once_and_waited_for(diary: Diary) -> None:
    running = Running(BrokerSettings("127.0.0.1", 1))  # nothing listens on port 1

    running.start()

    assert "127.0.0.1:1: nothing listens there" in diary.wait_for("nothing listens")
    diary.wait_for("again: ")
    stats = running.sink.stats()
    assert not stats.ever_connected
    assert "nothing listens" in (stats.last_error or "")
    running.stop()


def _either(packet: Packet) -> bytes | None:
    if packet.kind == CONNECT:
        return WELCOME_V5 if packet.level == 5 else WELCOME_V311
    return obliging(packet)


def _next_event(broker: ScriptedBroker) -> Packet:
    while True:
        packet = broker.next(PUBLISH)
        if packet.topic.endswith("/event"):
            return packet


def _events(broker: ScriptedBroker, *, until: bytes) -> list[Packet]:
    """Events up to the one whose payload ends so."""
    found = [_next_event(broker)]
    while not found[-1].body.endswith(until):
        found.append(_next_event(broker))
    return found
