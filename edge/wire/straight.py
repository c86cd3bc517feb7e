"""Messages that need no answer, written without paho, which takes ten times as long over one."""

from __future__ import annotations

from typing import Protocol

from edge.core.values import Message
from edge.wire.packets import Version, publish_packet

_PAHO_KNOWS = "+#\0"  # topics that are none: refused there, with the words for it


class Socket(Protocol):
    """As much of one as is needed; it never waits."""

    def send(self, content: bytes, /) -> int: ...


class Straight:
    """Writes QoS 0 packets, and keeps the rest of one that has begun: nothing else may be written before that."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def is_done(self) -> bool:
        return not self._rest

    def send(self, sock: Socket, message: Message, version: Version, *, expiry_s: int | None) -> bool:
        """Whether it has begun; else it is paho's to send, or to find out why not."""
        if message.qos > 0 or not self.is_done or any(each in message.topic for each in _PAHO_KNOWS):
            return False
        packet = publish_packet(message, version, expiry_s=expiry_s)
        try:
            self._rest = packet[sock.send(packet) :]
        except OSError:
            return False
        return True

    def go_on(self, sock: Socket) -> bool:
        """Write what is left; whether that is all."""
        try:
            while self._rest:
                self._rest = self._rest[sock.send(self._rest) :]
        except BlockingIOError:
            return False
        except OSError:  # paho comes upon it too
            self._rest = b""
        return True
