"""A small MQTT 5 client over a blocking socket: says exactly what a test wants and shows every reason code."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

CONNACK, PUBLISH, PUBACK, SUBACK, DISCONNECT = 2, 3, 4, 9, 14
PATIENCE_S = 15.0


@dataclass(frozen=True)
class Will:
    topic: str
    payload: bytes = b"gone"
    retain: bool = False


@dataclass(frozen=True)
class Got:
    topic: str
    payload: bytes
    retain: bool


def text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2) + data


def length(count: int) -> bytes:
    """The variable byte integer of MQTT."""
    found = bytearray()
    while True:
        count, byte = count // 128, count % 128
        found.append(byte | 0x80 if count else byte)
        if not count:
            return bytes(found)


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    return bytes([kind << 4 | flags]) + length(len(body)) + body


class PlainClient:
    """One connection. ``code`` is the CONNACK's reason code; the broker may hang up with it."""

    def __init__(
        self, port: int, *, client_id: str = "", context: ssl.SSLContext | None = None, will: Will | None = None
    ) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._socket = raw if context is None else context.wrap_socket(raw, server_hostname="127.0.0.1")
        except OSError:
            raw.close()
            raise
        self._number = 0
        self._kept: list[Got] = []
        flags = 0x02
        tail = b""
        if will is not None:
            flags |= 0x04 | 0x08 | (0x20 if will.retain else 0)
            tail = b"\x00" + text(will.topic) + len(will.payload).to_bytes(2) + will.payload
        body = text("MQTT") + bytes([5, flags]) + (60).to_bytes(2) + b"\x00" + text(client_id) + tail
        try:
            self._socket.sendall(packet(1, body))
            self.code = self._wait_for(CONNACK)[1]
        except OSError:
            self._socket.close()
            raise

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> int:
        """At QoS 1; returns the reason code."""
        number = self._next()
        body = text(topic) + number + b"\x00" + payload
        self._socket.sendall(packet(PUBLISH, body, 0x02 | retain))
        answer = self._wait_for(PUBACK)
        return answer[2] if len(answer) > 2 else 0

    def subscribe(self, topic: str) -> int:
        """At QoS 0; returns the reason code."""
        self._socket.sendall(packet(8, self._next() + b"\x00" + text(topic) + b"\x00", 2))
        return self._wait_for(SUBACK)[-1]

    def unsubscribe(self, topic: str) -> None:
        self._socket.sendall(packet(10, self._next() + b"\x00" + text(topic), 2))
        self._wait_for(11)

    def ping(self) -> None:
        """Afterwards everything that the broker sent before is here."""
        self._socket.sendall(b"\xc0\x00")
        self._wait_for(13)

    def take(self) -> list[Got]:
        """What has come in so far."""
        taken, self._kept = self._kept, []
        return taken

    def vanish(self) -> None:
        """Without a goodbye: the broker speaks the last will."""
        self._socket.close()

    def close(self) -> None:
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _next(self) -> bytes:
        self._number += 1
        return self._number.to_bytes(2)

    def _wait_for(self, kind: int) -> bytes:
        while True:
            head = self._read(1)[0]
            body = self._read(self._read_length())
            if head >> 4 == PUBLISH:
                self._keep(head, body)
            if head >> 4 == kind:
                return body
            if head >> 4 == DISCONNECT:
                raise ConnectionError(f"the broker hung up: reason {body[0] if body else 0}")

    def _keep(self, head: int, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2])
        start = end + (2 if head & 6 else 0)
        self._kept.append(Got(body[2:end].decode(), body[start + 1 + body[start] :], bool(head & 1)))

    def _read_length(self) -> int:
        count, shift = 0, 0
        while True:
            byte = self._read(1)[0]
            count |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return count

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise ConnectionError("the broker hung up")
            data += part
        return data
