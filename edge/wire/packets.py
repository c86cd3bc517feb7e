"""What the wire allows: versions, the broker's limits, and how large a message becomes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from edge.core.values import Message

WINDOW = 20  # QoS 1 messages under way; more gains nothing on a local network and costs repeats after an outage
_PROTOCOL_LARGEST = 268_435_455 + 5  # four bytes of remaining length and the fixed header


class Version(Enum):
    """A version of MQTT; the value is its name for people."""

    V5 = "5"
    V311 = "3.1.1"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker said it takes.

    window : QoS 1 messages under way at once
    packet_bytes : the largest packet, header included
    """

    window: int = WINDOW
    packet_bytes: int = _PROTOCOL_LARGEST


@dataclass(frozen=True, slots=True)
class Answer:
    """The broker's answer to CONNECT; only code 0 means connected.

    session_present : the broker kept our subscriptions and what came in meanwhile
    """

    code: int
    limits: Limits
    session_present: bool = False


@dataclass(frozen=True, slots=True)
class Hello:
    """Who connects, and what shall be kept of it.

    client_id : empty = the broker chooses one
    will : what the broker says for us when we vanish
    clean_start : begin without what the broker kept; mosquitto 2.0 forgets a session that began so, whatever its expiry
    session_expiry_s : how long the broker keeps subscriptions and messages for us (MQTT 5; in 3.1.1 it decides itself)
    window : QoS 1 messages that may come in before the first is acknowledged (MQTT 5)
    """

    client_id: str
    will: Message | None = None
    clean_start: bool = True
    session_expiry_s: int = 0
    window: int = 20


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that came in; at QoS 1 it stays the broker's until it is acknowledged by its number."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    number: int


def limits_of(properties: Any) -> Limits:
    """The limits in the properties of a CONNACK (MQTT 5, section 3.2.2.3); 3.1.1 has none."""
    window = int(getattr(properties, "ReceiveMaximum", WINDOW))
    packet_bytes = int(getattr(properties, "MaximumPacketSize", _PROTOCOL_LARGEST))
    return Limits(max(1, min(WINDOW, window)), min(packet_bytes, _PROTOCOL_LARGEST))


def packet_bytes(message: Message, version: Version) -> int:
    """The size of a message as a PUBLISH packet, at most.

    A topic of 10 bytes with a payload of 100 at QoS 1 in MQTT 5 without expiry: 2 + 12 + 2 + 1 + 100 = 117.
    """
    body = 2 + len(message.topic.encode()) + len(message.payload)
    if message.qos > 0:
        body += 2
    if version is Version.V5:
        body += 1 if message.expiry_s is None else 6
    length_bytes = 1 + (body > 127) + (body > 16_383) + (body > 2_097_151)
    return 1 + length_bytes + body


def publish_packet(message: Message, version: Version, *, expiry_s: int | None) -> bytes:
    """A QoS 0 PUBLISH (section 3.3), byte for byte as paho writes it; for a topic without wildcards."""
    topic = message.topic.encode()
    properties = b""
    if version is Version.V5:
        properties = b"\0" if expiry_s is None else b"\5\2" + expiry_s.to_bytes(4, "big")
    body = b"".join((len(topic).to_bytes(2, "big"), topic, properties, message.payload))
    return b"".join((b"\x31" if message.retain else b"\x30", _length(len(body)), body))


def _length(count: int) -> bytes:
    """A variable byte integer (section 1.5.5): 321 = 0xC1 0x02."""
    written = bytearray()
    while True:
        count, low = divmod(count, 128)
        written.append(low | (128 if count else 0))
        if not count:
            return bytes(written)
