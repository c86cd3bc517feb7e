"""The strict broker itself: it would be worth nothing if it let a breach pass."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.plain_mqtt import packet, text
from tests.strict_broker import Manners, StrictBroker

HELLO = packet(1, text("MQTT") + bytes([5, 2, 0, 60, 0]) + text("me"))


def _publish(
    number: int, *, flags: int = 2, topic: str = "t", properties: bytes = b"\0", payload: bytes = b"x"
) -> bytes:
    return packet(3, text(topic) + (number.to_bytes(2) if flags & 6 else b"") + properties + payload, flags)


BREACHES = {
    "a packet before CONNECT": b"\xc0\x00",
    "a second CONNECT": HELLO + HELLO,
    "another protocol": packet(1, text("MQIsdp") + bytes([3, 2, 0, 60]) + text("me")),
    "the reserved bit of CONNECT": packet(1, text("MQTT") + bytes([5, 3, 0, 60, 0]) + text("me")),
    "a will's QoS without a will": packet(1, text("MQTT") + bytes([5, 10, 0, 60, 0]) + text("me")),
    "a property in the wrong place": packet(1, text("MQTT") + bytes([5, 2, 0, 60, 2, 1, 1]) + text("me")),
    "a property twice": packet(1, text("MQTT") + bytes([5, 2, 0, 60, 6, 0x21, 0, 1, 0x21, 0, 1]) + text("me")),
    "receive maximum 0": packet(1, text("MQTT") + bytes([5, 2, 0, 60, 3, 0x21, 0, 0]) + text("me")),
    "QoS 3": HELLO + _publish(1, flags=6),
    "DUP at QoS 0": HELLO + _publish(1, flags=8),
    "DUP of a new session": HELLO + _publish(1, flags=10),
    "packet identifier 0": HELLO + _publish(0),
    "an identifier under way": HELLO + _publish(1) + _publish(1),
    "a wildcard in a topic": HELLO + _publish(1, topic="a/+"),
    "no topic": HELLO + _publish(1, topic=""),
    "U+0000 in a topic": HELLO + _publish(1, topic="a\0b"),
    "a topic that is no UTF-8": HELLO + packet(3, b"\x00\x01\xff\x00\x01\x00x", 2),
    "a topic alias": HELLO + _publish(1, properties=b"\x03\x23\x00\x01"),
    "more than the receive maximum": HELLO + _publish(1) + _publish(2) + _publish(3),
    "more than the maximum packet": HELLO + _publish(1, payload=b"x" * 200),
    "a field beyond the end": HELLO + packet(3, b"\x00\x09abc", 2),
    "an acknowledgement of nothing": HELLO + packet(4, b"\x00\x01"),
    "wrong flags of SUBSCRIBE": HELLO + packet(8, b"\x00\x01\x00" + text("t") + b"\x01", 0),
    "a SUBSCRIBE without filter": HELLO + packet(8, b"\x00\x01\x00", 2),
    "a filter that is none": HELLO + packet(8, b"\x00\x01\x00" + text("a/#/b") + b"\x01", 2),
    "a packet after DISCONNECT": HELLO + b"\xe0\x00" + b"\xc0\x00",
    "a PINGREQ with a body": HELLO + b"\xc0\x01\x00",
    "a length of five bytes": HELLO + b"\x30\xff\xff\xff\xff\x01",
    "packet type 0": HELLO + b"\x00\x00",
}
LAWFUL = {
    "all in order": HELLO + _publish(1) + _publish(2) + _publish(0, flags=0) + b"\xc0\x00" + b"\xe0\x00",
    "a subscription": HELLO + packet(8, b"\x00\x01\x00" + text("a/+/#") + b"\x01", 2) + b"\xe0\x00",
    "only a hello": HELLO,
}


@pytest.fixture
def broker() -> Iterator[StrictBroker]:
    broker = StrictBroker(Manners(receive_maximum=2, maximum_packet=100, acks_by_hand=True))
    yield broker
    broker.close()


def _talk(broker: StrictBroker, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as client:
        client.sendall(data)
        with suppress(OSError):  # it hung up on the breach already
            client.shutdown(socket.SHUT_WR)
        try:
            while client.recv(1000):
                pass
        except ConnectionResetError:
            return


@pytest.mark.parametrize("data", BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_is_written_down(broker: StrictBroker, data: bytes) -> None:
    _talk(broker, data)

    broker.wait_until(lambda book: len(book.breaches) == 1)


@pytest.mark.parametrize("data", LAWFUL.values(), ids=LAWFUL.keys())
def test_what_is_lawful_is_not(broker: StrictBroker, data: bytes) -> None:
    _talk(broker, data)

    broker.wait_until(lambda book: len(book.connects) == 1)
    assert broker.book.breaches == []
