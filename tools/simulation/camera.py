"""A camera: one connection that sends at its beat."""

from __future__ import annotations

import asyncio
import os
import socket
import time

from tools.simulation.histogram import Histogram
from tools.simulation.wire import CONNACK, PUBACK, STAMP, hello, length, packets, publish_bytes, text, topic_of

_SAMPLE = 50  # of so many cameras, one is woken by each acknowledgement and takes its time


class Camera(asyncio.Protocol):
    """One connection. Connecting is asyncio's; then the socket is written to directly, for at 20,000 messages a second
    a transport, a wake-up per acknowledgement and a new buffer per message cost more than the broker does.

    All but a sample of the cameras read their acknowledgements when they send the next message.
    """

    def __init__(self, number: int, qos: int, size: int, acknowledged: Histogram) -> None:
        self.number = number
        self.is_up = False
        self.gone: asyncio.Event = asyncio.Event()
        self.sent = 0
        self.skipped = 0
        self.answered = 0
        self._acknowledged = acknowledged
        self._is_sample = number % _SAMPLE == 0
        self._sent_ns: dict[int, int] = {}
        head = bytes([0x30 | qos << 1]) + length(publish_bytes(number, qos, size)) + text(topic_of(number, qos))
        self._at_stamp = len(head) + (2 if qos else 0) + 1
        self._frame = bytearray(head + bytes(self._at_stamp - len(head)) + b"." * size)
        self._qos = qos
        self._buffer = bytearray()
        self._unsent = b""
        self._descriptor = -1
        self._transport: asyncio.Transport | None = None

    @property
    def pending(self) -> int:
        """Sent and not acknowledged."""
        return self.sent - self.answered if self._qos else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        end = self._transport.get_extra_info("socket")
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._descriptor = end.fileno()
        self._transport.write(hello(f"camera{self.number:05}"))
        self.gone.clear()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        self.is_up = False
        self._buffer.clear()
        self.gone.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        for head, body in packets(self._buffer):
            if head >> 4 == PUBACK:
                self.answered += 1
                sent_ns = self._sent_ns.pop(int.from_bytes(body[:2]), None)
                if sent_ns is not None:
                    self._acknowledged.add(time.monotonic_ns() - sent_ns)
            elif head >> 4 == CONNACK:
                self.is_up = body[1] == 0

    def begin(self) -> None:
        """From now on the socket is ours, but for the sample's reading."""
        if self._transport is not None and not self._is_sample:
            self._transport.pause_reading()

    def send(self) -> None:
        """One message, or none where the broker does not take it."""
        if not self.is_up or self.pending >= 60_000 or not self._flush():
            self.skipped += 1
            return
        number, now_ns = self.sent + 1, time.monotonic_ns()
        if self._qos:
            identifier = number % 65_535 + 1
            self._frame[self._at_stamp - 3 : self._at_stamp - 1] = identifier.to_bytes(2)
            if self._is_sample:
                self._sent_ns[identifier] = now_ns
        STAMP.pack_into(self._frame, self._at_stamp, self.number, number, now_ns)
        self.sent = number
        self._write(self._frame)

    def collect(self) -> None:
        """Read what acknowledgements there are."""
        if self._is_sample or not self._qos or not self.is_up:
            return
        try:
            data = os.read(self._descriptor, 4096)
        except BlockingIOError:
            return
        if len(data) == 4 and data[0] == 0x40 and not self._buffer:  # nearly always: one acknowledgement
            self.answered += 1
        else:
            self.data_received(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> bool:
        if self._unsent:
            self._write(self._unsent)
        return not self._unsent

    def _write(self, data: bytes | bytearray) -> None:
        try:
            count = os.write(self._descriptor, data)
        except BlockingIOError:
            count = 0
        except OSError:  # the broker has gone
            self.is_up = False
            return
        self._unsent = bytes(data[count:]) if count < len(data) else b""
