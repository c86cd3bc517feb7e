"""What a device hears, and in which order it says what."""

from __future__ import annotations

import queue
from collections.abc import Callable

import pytest

from edge.core.clock import HandClock, SystemClock
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.listening import PAYLOAD_LIMIT, Comeback, Heard, Inbox, Listening, Subscription
from edge.report.topics import Topics
from tests.brokers import Brokers, Mosquitto
from tests.fakes_report import Diary, Running, text_event
from tests.scripted_broker import CONNECT, WELCOME_V5, Packet, Script, ScriptedBroker

TOPICS = Topics("gate")
INFO = Message(TOPICS.info(), b'{"schema":1}', qos=1, retain=True)
DISCOVERY = Message(TOPICS.discovery(), b"{}", qos=1, retain=True)
Run = Callable[..., Running]
SUBSCRIBE = 8


def test_a_filter_takes_its_topic_or_all_below_it() -> None:
    commands = Subscription("edge/gate/command/#", lambda _: None)
    status = Subscription("homeassistant/status", lambda _: None)

    assert commands.takes("edge/gate/command/camera")
    assert not commands.takes("edge/gate/commands/camera")
    assert status.takes("homeassistant/status")
    assert not status.takes("homeassistant/status/x")


def test_each_message_goes_to_who_asked_for_its_topic_and_is_cut_to_a_bound() -> None:
    heard: list[Heard] = []
    listening = Listening([Subscription("a/#", heard.append), Subscription("b", lambda _: pytest.fail("not asked"))])

    listening.hear("a/1", b"x" * 100_000, retained=True)

    assert heard == [Heard("a/1", b"x" * (PAYLOAD_LIMIT + 1), retained=True)]


def test_a_full_inbox_keeps_what_came_first() -> None:
    inbox = Inbox(limit=2)
    for number in range(5):
        inbox.put(Heard(str(number), b""))

    kept = [inbox.take(), inbox.take(), inbox.take()]

    assert [each.topic if each else None for each in kept] == ["0", "1", None]
    assert inbox.dropped == 3


def test_home_assistants_return_is_answered_once_after_one_to_five_seconds() -> None:
    for chance, pause_s in ((0.0, 1.0), (0.5, 3.0), (1.0, 5.0)):
        clock = HandClock()
        comeback = Comeback(clock, lambda: chance)  # noqa: B023
        comeback.hear(Heard("homeassistant/status", b"online"))
        comeback.hear(Heard("homeassistant/status", b"online"))

        clock.advance(pause_s - 0.01)
        early = comeback.is_due()
        clock.advance(0.01)

        assert (early, comeback.is_due(), comeback.is_due()) == (False, True, False)


@pytest.mark.parametrize("heard", [Heard("s", b"online", retained=True), Heard("s", b"offline"), Heard("s", b"\xff")])
def test_an_old_return_or_a_farewell_is_not_answered(heard: Heard) -> None:
    clock = HandClock()
    comeback = Comeback(clock, lambda: 0.0)

    comeback.hear(heard)
    clock.advance(10)

    assert not comeback.is_due()


def _listener(inbox: Inbox, clock: Clock | None = None) -> Listening:
    comeback = Comeback(clock or HandClock(), lambda: 0.0)
    return Listening(
        [
            Subscription(TOPICS.all_commands(), inbox.put, as_published=True),
            Subscription(TOPICS.home_assistant_status(), comeback.hear),
        ],
        comeback,
    )


@pytest.mark.broker
def test_on_every_connect_subscriptions_come_before_the_first_word(brokers: Brokers, run: Run) -> None:
    broker = brokers.start()
    broker.kill()  # away until all that is to be said waits
    running = run(broker.port, listening=_listener(Inbox()))
    for message in (text_event(TOPICS, "first"), DISCOVERY, INFO):
        running.sink.send(message)
    broker.start()

    for _ in range(2):
        assert _order(broker) == ["command/#", "homeassistant/status", "status", "info", "config"]
        broker.kill()
        broker.start()


def _order(broker: Mosquitto) -> list[str]:
    """What the broker itself says it received, up to discovery."""
    found: list[str] = []
    broker.log.wait_for(lambda line: "Received SUBSCRIBE from gate" in line)
    while "config" not in found:
        line = broker.log.wait_for(
            lambda line: "Received PUBLISH from gate" in line or ("\t" in line and "(QoS" in line)
        )
        topic = line.split("'")[1] if "'" in line else line.split("\t")[1].split(" ")[0]
        found.append(topic.removeprefix("edge/gate/").removeprefix("homeassistant/device/gate/"))
    return found


@pytest.mark.broker
def test_home_assistants_return_brings_all_state_again(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start()
    running = run(broker.port, listening=_listener(Inbox(), SystemClock()))
    running.sink.send(INFO)
    running.sink.send(DISCOVERY)
    diary.wait_for("connected to the broker")
    home = brokers.subscribe(broker, "#", "-R")

    brokers.publish(broker, TOPICS.home_assistant_status(), "online")
    home.next("homeassistant/status")

    topics = [home.next().topic for _ in range(3)]
    assert topics == ["edge/gate/status", "edge/gate/info", "homeassistant/device/gate/config"]


@pytest.mark.broker
def test_a_command_that_is_being_retained_is_known_as_such(brokers: Brokers, run: Run, diary: Diary) -> None:
    broker = brokers.start()
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    listening = Listening([Subscription(TOPICS.all_commands(), heard.put, as_published=True)])
    run(broker.port, listening=listening)
    diary.wait_for("connected to the broker")

    brokers.publish(broker, TOPICS.command("camera"), "kept", "-r")
    brokers.publish(broker, TOPICS.command("camera"), "now")
    first_two = [heard.get(timeout=10.0), heard.get(timeout=10.0)]

    assert [(each.payload, each.retained) for each in first_two] == [(b"kept", True), (b"now", False)]


def test_a_subscription_that_is_denied_is_said(
    script: Callable[[Script], ScriptedBroker], run: Run, diary: Diary
) -> None:
    def deny_the_first(packet: Packet) -> bytes:
        if packet.kind == CONNECT:
            return WELCOME_V5
        if packet.kind == SUBSCRIBE:
            return b"\x90\x05" + packet.body[:2] + b"\x00\x87\x01"
        return b""

    run(script(deny_the_first).port, listening=_listener(Inbox()))

    words = diary.wait_for("does not let gate subscribe to")
    assert "edge/gate/command/#:" in words
    assert "homeassistant" not in words
