"""A paho client that does nothing by itself: no thread, no reconnect, no writing from within ``publish``."""

from __future__ import annotations

import socket
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.wire.packets import Hello, Version
from edge.wire.settings import BrokerSettings, Pace
from edge.wire.tls import TlsContext

WILL_DELAY_S = 5  # a short blip of the radio need not flap the device's state
_PROTOCOLS = {Version.V5: MQTTProtocolVersion.MQTTv5, Version.V311: MQTTProtocolVersion.MQTTv311}


def make_client(
    settings: BrokerSettings, hello: Hello, version: Version, *, context: TlsContext | None, pace: Pace
) -> Client:
    """Not connected yet; ``context`` : None = plain text."""
    is_v5 = version is Version.V5
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=hello.client_id,
        protocol=_PROTOCOLS[version],
        clean_session=None if is_v5 else hello.clean_start,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.suppress_exceptions = True
    client.connect_timeout = pace.connect_s
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password)
    if context is not None:
        client.tls_set_context(context)
    will = hello.will
    if will is not None:
        delay = make_properties(PacketTypes.WILLMESSAGE, WillDelayInterval=WILL_DELAY_S) if is_v5 else None
        client.will_set(will.topic, will.payload, qos=will.qos, retain=will.retain, properties=delay)
    client.on_socket_open = _on_socket_open
    # With somebody to tell, paho leaves writing to us, instead of writing from within publish.
    client.on_socket_register_write = _on_socket_register_write
    return client


def make_properties(packet: int, **values: int) -> Properties:
    """Of a kind of packet (MQTT 5, section 2.2.2)."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def _on_socket_open(_client: Any, _userdata: Any, sock: Any) -> None:
    # Without it the second message after a pause waits 35 ms for a delayed acknowledgement (measured).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _on_socket_register_write(_client: Any, _userdata: Any, _sock: Any) -> None:
    return
