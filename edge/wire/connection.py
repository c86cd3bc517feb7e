"""One connection to a broker: one paho client, used once and thrown away.

paho is the wire codec here and nothing more. Its own reconnect ignores the in-flight window and sends everything at
once, its thread dies by an exception in a callback, and its message infos lie after an outage. So every connection gets
a new client, driven from our own poll; what a message became is read from the reason code of its acknowledgement.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from paho.mqtt.enums import LogLevel, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.core.errors import BrokerError
from edge.core.values import Message
from edge.wire.packets import Answer, Hello, Incoming, Version, limits_of
from edge.wire.paho_client import make_client, make_properties
from edge.wire.reasons import Cause, Ending, departure, network_words
from edge.wire.settings import BrokerSettings, Pace
from edge.wire.straight import Straight
from edge.wire.tls import TlsContext, alert_words, failure_words
from edge.wire.wake import Wake

_INCOMING_LIMIT = 256 * 1024  # nothing we subscribe to is larger; the broker keeps what is
_READS_AT_ONCE = 200
_Item = TypeVar("_Item")


class Connection:
    """One attempt, and what becomes of it. All methods belong to one thread at a time, but for ``watch``.

    The client's callbacks only record; what they recorded is read after each ``wait``.

    Parameters
    ----------
    hello : who we are, and what the broker keeps for us
    context : None = plain text
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        hello: Hello,
        version: Version,
        context: TlsContext | None,
        pace: Pace,
    ) -> None:
        self._settings = settings
        self._hello = hello
        self._version = version
        self._context = context
        self._answer: tuple[int, bool, Any] | None = None
        self._acknowledged: deque[tuple[int, int]] = deque()
        self._received: deque[Incoming] = deque()
        self._subscribed: deque[tuple[int, ...]] = deque()
        self._departure: int | None = None
        self._logged = ""
        self._straight = Straight()
        self._error_code = MQTTErrorCode.MQTT_ERR_SUCCESS
        self._client = make_client(settings, hello, version, context=context, pace=pace)
        self._listen()

    def open(self) -> None:
        """Resolve, connect, shake hands; sends CONNECT. Raises BrokerError with the reason in words."""
        options: dict[str, Any] = {}
        if self._version is Version.V5:
            asked = make_properties(
                PacketTypes.CONNECT,
                SessionExpiryInterval=self._hello.session_expiry_s,
                ReceiveMaximum=self._hello.window,
                MaximumPacketSize=_INCOMING_LIMIT,
            )
            options = {"clean_start": self._hello.clean_start, "properties": asked}
        try:
            self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive_s, **options)
        except (OSError, ValueError) as error:  # ValueError: a name that no resolver can be asked for
            if self._context is not None:
                self._context.close_socket()
            words = failure_words(error) or network_words(error)
            raise BrokerError(f"broker {self._settings.address}: {words}") from error

    @property
    def is_open(self) -> bool:
        return self._client.socket() is not None

    @property
    def is_drained(self) -> bool:
        """Whether all that was published has gone to the network; only then is more given to the client."""
        return self._straight.is_done and not self._client.want_write()

    @property
    def answer(self) -> Answer | None:
        """What the broker answered to CONNECT, None before it has."""
        if self._answer is None:
            return None
        code, is_present, properties = self._answer
        return Answer(code, limits_of(properties), is_present)

    def publish(self, message: Message, *, expiry_s: int | None) -> int:
        """Hand over a message; returns the number its acknowledgement will carry. Raises ValueError on a bad topic."""
        if not message.topic:  # paho would send it: in MQTT 5 it stands for an alias, which we never make
            raise ValueError("the topic is empty")
        if self._send_straight(message, expiry_s):
            return 0
        properties = None
        if self._version is Version.V5 and expiry_s is not None:
            properties = make_properties(PacketTypes.PUBLISH, MessageExpiryInterval=expiry_s)
        info = self._client.publish(
            message.topic, message.payload, qos=message.qos, retain=message.retain, properties=properties
        )
        self._write()
        return info.mid

    def subscribe(self, filters: Sequence[str], *, as_published: Collection[str] = ()) -> None:
        """Ask for topics at QoS 1; ``subscribed`` tells the answer.

        Parameters
        ----------
        as_published : those whose messages keep their retain flag also when they come live (MQTT 5)
        """
        self._client.on_message = self._on_message  # before it, what a broker sends unasked is forgotten
        if self._version is Version.V5:
            options = [SubscribeOptions(qos=1, retainAsPublished=each in as_published) for each in filters]
            self._client.subscribe(list(zip(filters, options, strict=True)))
        else:
            self._client.subscribe([(topic, 1) for topic in filters])
        self._write()

    def subscribed(self) -> list[tuple[int, ...]]:
        """The answers to ``subscribe`` since the last call: a code per filter, 128 and above is a refusal."""
        return _taken(self._subscribed)

    def received(self) -> list[Incoming]:
        """What came in since the last call."""
        return _taken(self._received)

    def acknowledge(self, message: Incoming) -> None:
        """It is ours now; until then the broker keeps it."""
        if message.qos > 0:
            self._client.ack(message.number, message.qos)
            self._write()

    def acknowledged(self) -> list[tuple[int, int]]:
        """(number, reason code) of the messages acknowledged since the last call."""
        return _taken(self._acknowledged)

    def wait(self, wake: Wake, timeout_s: float) -> None:
        """Read and write what can be, until something happened, ``wake`` is set or the time is over."""
        self.serve(self.watch(wake, timeout_s))

    def watch(self, wake: Wake, timeout_s: float) -> int:
        """Wait alone, for ``serve``; meanwhile another thread may use the connection, one at a time."""
        sock: Any = self._client.socket()
        if sock is None:
            return 0
        number = sock.fileno()
        poller = select.poll()
        poller.register(number, select.POLLIN | (0 if self.is_drained else select.POLLOUT))
        poller.register(wake, select.POLLIN)
        ready = dict(poller.poll(max(0.0, timeout_s) * 1000))
        wake.clear()
        return ready.get(number, 0)

    def serve(self, events: int) -> None:
        """Read and write what ``watch`` has said can be."""
        sock: Any = self._client.socket()
        if sock is None:
            return
        if events & ~select.POLLOUT:
            self._read(sock)
        if events & select.POLLOUT:
            self._write()
        self._keep(self._client.loop_misc())

    def disconnect(self) -> None:
        """Say goodbye: the broker will not speak our last will."""
        self._client.disconnect()
        self._write()

    def drop(self) -> None:
        """Close without a word, whatever state it is in; the broker will speak our last will."""
        sock: Any = self._client.socket()
        if sock is not None:
            sock.close()

    def ending(self) -> Ending:
        """Why it is not open any more."""
        if self._departure is not None:
            return departure(self._departure, self._hello.client_id)
        words = alert_words(self._logged)
        if words is not None:
            return Ending(Cause.REFUSED, words)
        if self._error_code == MQTTErrorCode.MQTT_ERR_PROTOCOL:
            return Ending(self._silent_or_lost(), "the broker sent something that is not MQTT")
        if self._error_code == MQTTErrorCode.MQTT_ERR_KEEPALIVE:
            return Ending(Cause.LOST, "the broker does not answer any more")
        return Ending(self._silent_or_lost(), "the broker closed the connection")

    def _send_straight(self, message: Message, expiry_s: int | None) -> bool:
        """Whether a message could go without paho."""
        sock: Any = self._client.socket()
        is_plain = self._context is None and sock is not None and self.is_drained
        return is_plain and self._straight.send(sock, message, self._version, expiry_s=expiry_s)

    def _write(self) -> None:
        """Send what waits: the rest of a packet that has begun before anything of paho's."""
        sock: Any = self._client.socket()
        if sock is None or self._straight.go_on(sock):
            self._keep(self._client.loop_write())

    def _silent_or_lost(self) -> Cause:
        return Cause.SILENT if self._answer is None else Cause.LOST

    def _read(self, sock: Any) -> None:
        """TLS may hold bytes that no poll will report, so it is read until it holds none."""
        for _ in range(_READS_AT_ONCE):
            self._keep(self._client.loop_read())
            if self._client.socket() is None or not (hasattr(sock, "pending") and sock.pending()):
                return

    def _keep(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS and self._error_code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._error_code = code

    def _listen(self) -> None:
        client = self._client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_log = self._on_log

    def _on_connect(self, _client: Any, _userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._answer = (reason.value, bool(flags.session_present), properties)
        self._client.on_log = None  # its only use is the TLS verdict before the answer; it costs time per message

    def _on_disconnect(self, _client: Any, _userdata: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._departure = reason.value

    def _on_publish(self, _client: Any, _userdata: Any, mid: int, reason: Any, _properties: Any) -> None:
        self._acknowledged.append((mid, reason.value))

    def _on_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        self._received.append(
            Incoming(message.topic, bytes(message.payload), message.qos, bool(message.retain), message.mid)
        )

    def _on_subscribe(self, _client: Any, _userdata: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        self._subscribed.append(tuple(reason.value for reason in reasons))

    def _on_log(self, _client: Any, _userdata: Any, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:
            self._logged = text


def _taken(queue: deque[_Item]) -> list[_Item]:
    taken = list(queue)
    queue.clear()
    return taken
