"""A camera: one connection that sends at its beat."""

from __future__ import annotations

import asyncio
import socket
import time

from tools.simulation.histogram import Histogram
from tools.simulation.wire import CONNACK, PUBACK, STAMP, hello, length, packets, publish_bytes, text, topic_of


class Camera(asyncio.Protocol):
    """One connection; at QoS 1 it keeps the times of what is not acknowledged."""

    def __init__(self, number: int, qos: int, size: int, acknowledged: Histogram) -> None:
        self.number = number
        self.is_up = False
        self.gone: asyncio.Event = asyncio.Event()
        self.sent = 0
        self.skipped = 0
        self.pending: dict[int, int] = {}
        self._acknowledged = acknowledged
        self._head = bytes([0x30 | qos << 1]) + length(publish_bytes(number, qos, size)) + text(topic_of(number, qos))
        self._tail = b"." * (size - STAMP.size)
        self._qos = qos
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport.write(hello(f"camera{self.number:05}"))
        self.gone.clear()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        self.is_up = False
        self._buffer.clear()
        self.gone.set()

    def data_received(self, data: bytes) -> None:
        if len(data) == 4 and data[0] == 0x40 and not self._buffer:  # nearly always: one acknowledgement
            self._acknowledge(data[2:])
            return
        self._buffer += data
        for head, body in packets(self._buffer):
            if head >> 4 == PUBACK:
                self._acknowledge(body[:2])
            elif head >> 4 == CONNACK:
                self.is_up = body[1] == 0

    def _acknowledge(self, number: bytes) -> None:
        sent_ns = self.pending.pop(int.from_bytes(number), None)
        if sent_ns is not None:
            self._acknowledged.add(time.monotonic_ns() - sent_ns)

    def send(self) -> None:
        if not self.is_up or len(self.pending) >= 60_000:
            self.skipped += 1
            return
        self.sent += 1
        now_ns = time.monotonic_ns()
        number = b""
        if self._qos:
            identifier = self.sent % 65_535 + 1
            self.pending[identifier] = now_ns
            number = identifier.to_bytes(2)
        stamp = STAMP.pack(self.number, self.sent, now_ns)
        self._transport.write(b"%b%b\x00%b%b" % (self._head, number, stamp, self._tail))  # type: ignore[union-attr]

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
