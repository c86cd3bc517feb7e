"""The broker's configuration to a way out."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from edge.config.secret_files import check_private, read_secret, secret_path
from edge.config.values import Broker, Config, SecretRef, Tls
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.listening import Comeback, Inbox, Listening, Subscription
from edge.report.mqtt import MqttSink
from edge.report.stats import BrokerStats
from edge.report.topics import Topics
from edge.wire.settings import BrokerSettings, TlsSettings


class MqttOutlet:
    """The service's way out: the sink, and what it dropped in the words of the health report."""

    def __init__(self, sink: MqttSink) -> None:
        self._sink = sink
        self.open = sink.open
        self.run = sink.run
        self.is_settled = sink.is_settled

    def send(self, message: Message) -> None:
        self._sink.send(message)

    def close(self) -> None:
        self._sink.close()

    def dropped(self) -> Counter[str]:
        drops = asdict(self._sink.stats().drops)
        return Counter({f"message_{cause}": count for cause, count in drops.items() if count})

    def stats(self) -> BrokerStats:
        return self._sink.stats()


def make_outlet(broker: Broker, topics: Topics, clock: Clock, listening: Listening | None = None) -> MqttOutlet:
    """Reads the secrets the configuration refers to; connects to nothing yet."""
    settings = BrokerSettings(
        broker.host,
        broker.port,
        tls=_tls(broker.tls) if broker.tls else None,
        username=broker.username,
        password=None if broker.password is None else read_secret(broker.password, "broker.password"),
        keepalive_s=broker.keepalive_seconds,
    )
    return MqttOutlet(MqttSink(settings, topics=topics, clock=clock, listening=listening))


def make_listening(config: Config, topics: Topics, inbox: Inbox, clock: Clock) -> Listening:
    """Nothing is subscribed to that the configuration does not switch on."""
    subscriptions, comeback = [], None
    if config.commands.enabled:
        subscriptions.append(Subscription(topics.all_commands(), inbox.put, as_published=True))
    if config.home_assistant.enabled:
        comeback = Comeback(clock)
        subscriptions.append(Subscription(topics.home_assistant_status(config.home_assistant.prefix), comeback.hear))
    return Listening(subscriptions, comeback)


def _tls(tls: Tls) -> TlsSettings:
    key = tls.key
    if isinstance(key, SecretRef):
        key = secret_path(key, "broker.tls.key")
    elif key is not None:
        check_private(key, "broker.tls.key")
    return TlsSettings(ca=tls.ca, certificate=tls.certificate, key=key)
