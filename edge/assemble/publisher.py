"""The publisher's process: from the service's first word to a connection. It knows no camera and no model."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from edge.core.clock import SystemClock
from edge.core.values import Message
from edge.report.courier import Courier
from edge.report.listening import Comeback, Heard, Listening, Subscription
from edge.report.mqtt import MqttSink
from edge.report.outbox.reader import OutboxReader
from edge.report.outbox.values import Policy
from edge.report.receipts import Receipts
from edge.report.topics import Topics
from edge.service.channel import Channel, ChannelClosedError
from edge.service.inside import leave_at_once, settle
from edge.service.letters import Arrived, Progress, Setup
from edge.service.publisher import Publisher, first_word
from edge.wire.settings import BrokerSettings, TlsSettings


def main(channel: Channel) -> None:
    """Live as long as the service wants; ends the process."""
    try:
        setup = first_word(channel, SystemClock())
    except ChannelClosedError:
        leave_at_once(0)
    logging.basicConfig(
        level=setup.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    publisher = make_publisher(channel, setup, SystemClock(setup.boot_id))
    settle()
    leave_at_once(publisher.live())


def make_publisher(
    channel: Channel, setup: Setup, clock: SystemClock, *, alive: Callable[[], None] = lambda: None
) -> Publisher:
    """Everything named, nothing running yet.

    alive : called every second or more often, while it works
    """
    topics = Topics(setup.device)
    has_consumer = setup.consumer is not None
    reader = OutboxReader(
        Path(setup.outbox),
        policy=Policy(max_bytes=setup.max_bytes, has_consumer=has_consumer),
        clock=clock,
        volatile_path=None if setup.volatile is None else Path(setup.volatile),
    )
    courier = Courier(reader, has_consumer=has_consumer, clock=clock)

    def answer(message: Message) -> None:
        sink.send(message)

    receipts = Receipts(courier, topics, consumer=setup.consumer, answer=answer, clock=clock)

    def pass_on(heard: Heard) -> None:
        if heard.topic not in own:
            publisher.pass_on(Arrived(heard.topic, heard.payload, heard.retained))

    own = {each.filter for each in receipts.subscriptions()}
    comeback = None if setup.greeting is None else Comeback(clock)
    sink = MqttSink(
        broker_settings(setup),
        topics=topics,
        clock=clock,
        courier=courier,
        listening=Listening(
            [
                *receipts.subscriptions(),
                *(Subscription(each, pass_on, True) for each in setup.filters),
                *([] if comeback is None or setup.greeting is None else [Subscription(setup.greeting, comeback.hear)]),
            ],
            comeback,
        ),
    )
    sink.open()
    publisher = Publisher(
        channel, sink, progress=lambda heard: _progress(sink, courier, heard), clock=clock, alive=alive
    )
    return publisher


def broker_settings(setup: Setup) -> BrokerSettings:
    """Raises ConfigError for what can't be right."""
    tls = None
    if setup.is_tls:
        ca, certificate, key = (
            None if path is None else Path(path) for path in (setup.ca, setup.certificate, setup.key)
        )
        tls = TlsSettings(ca=ca, certificate=certificate, key=key)
    return BrokerSettings(
        setup.host,
        setup.port,
        tls=tls,
        username=setup.username,
        password=setup.password,
        keepalive_s=setup.keepalive_s,
    )


def _progress(sink: MqttSink, courier: Courier, heard: int) -> Progress:
    stats, events = sink.stats(), courier.stats()
    return Progress(
        beat=stats.beat,
        heard=heard,
        is_settled=sink.is_settled(),
        is_connected=stats.is_connected,
        connects=stats.connects,
        delivered=events.delivered,
        unheard=events.ever_unheard,
        drops={cause: count for cause, count in asdict(stats.drops).items() if count},
        unheard_now=events.unheard,
        denied_now=events.denied,
        refused_now=events.refused,
        trimmed=events.trimmed,
        dead=events.dead,
        is_refused=stats.is_refused,
        last_error=stats.last_error,
    )
