from __future__ import annotations

import pytest

from edge.core.values import Message
from edge.wire.packets import Version, packet_bytes, publish_packet


def test_a_message_without_an_answer_as_mqtt_3_writes_it() -> None:
    packet = publish_packet(Message("a/b", b"hi"), Version.V311, expiry_s=2)

    assert packet == b"\x30\x07" + b"\x00\x03a/b" + b"hi"


def test_a_retained_one_with_an_expiry_as_mqtt_5_writes_it() -> None:
    packet = publish_packet(Message("a/b", b"hi", retain=True), Version.V5, expiry_s=258)

    assert packet == b"\x31\x0d" + b"\x00\x03a/b" + b"\x05\x02\x00\x00\x01\x02" + b"hi"


@pytest.mark.parametrize(("payload", "length"), [(122, b"\x7f"), (123, b"\x80\x01"), (16_379, b"\x80\x80\x01")])
def test_its_length_takes_as_many_bytes_as_it_needs(payload: int, length: bytes) -> None:
    packet = publish_packet(Message("a/b", bytes(payload)), Version.V311, expiry_s=None)

    assert packet[1 : 1 + len(length)] == length


@pytest.mark.parametrize("version", [Version.V5, Version.V311])
@pytest.mark.parametrize("expiry_s", [None, 2])
def test_it_is_as_large_as_it_was_said_to_be(version: Version, expiry_s: int | None) -> None:
    message = Message("a/\u00e9", bytes(200), expiry_s=expiry_s)

    assert len(publish_packet(message, version, expiry_s=expiry_s)) == packet_bytes(message, version)
