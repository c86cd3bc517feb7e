"""As much MQTT 5 as cameras and a collector need, and no more: at 20,000 messages a second each step counts."""

from __future__ import annotations

import struct
from collections.abc import Iterator

STAMP = struct.Struct(">IIQ")  # camera, number, nanoseconds of the monotonic clock
END_TOPIC = b"edge/fleet/end"
CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9


def length(count: int) -> bytes:
    found = bytearray()
    while True:
        count, byte = divmod(count, 128)
        found.append(byte | 0x80 if count else byte)
        if not count:
            return bytes(found)


def text(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def hello(client_id: str) -> bytes:
    """CONNECT, MQTT 5, clean start; a subscriber may be sent 65,535 before it acknowledges."""
    body = text(b"MQTT") + b"\x05\x02\x00\x3c\x00" + text(client_id.encode())
    return b"\x10" + length(len(body)) + body


def packets(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """(first byte, body) of the whole packets in a buffer, which loses them."""
    at, end = 0, len(buffer)
    while at + 2 <= end:
        size, shift, place = 0, 0, at + 1
        while place < end:
            byte = buffer[place]
            size |= (byte & 127) << shift
            place += 1
            shift += 7
            if byte < 128:
                break
        else:
            break
        if place + size > end:
            break
        yield buffer[at], bytes(buffer[place : place + size])
        at = place + size
    del buffer[:at]


def topic_of(camera: int, qos: int) -> bytes:
    return b"edge/camera%05d/camera/yard/%s" % (camera, b"event" if qos else b"detections")


def publish_bytes(camera: int, qos: int, size: int) -> int:
    """The remaining length of a publish, the same for every camera."""
    return 2 + len(topic_of(camera, qos)) + (2 if qos else 0) + 1 + size
