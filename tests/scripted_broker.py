"""A broker that does what a test tells it, for what no real one does on command: refuse versions, fall silent, lie."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

PATIENCE_S = 15.0

CONNECT, CONNACK, PUBLISH, PUBACK, DISCONNECT = 1, 2, 3, 4, 14
WELCOME_V5 = b"\x20\x03\x00\x00\x00"
WELCOME_V311 = b"\x20\x02\x00\x00"


@dataclass(frozen=True)
class Packet:
    """One packet of the client; ``connection`` counts from 0."""

    connection: int
    kind: int
    flags: int
    body: bytes

    @property
    def level(self) -> int:
        """Of a CONNECT: 5, or 4 for 3.1.1."""
        return self.body[6]

    @property
    def topic(self) -> str:
        """Of a PUBLISH."""
        return self.body[2 : 2 + int.from_bytes(self.body[:2])].decode()

    @property
    def qos(self) -> int:
        return self.flags >> 1 & 3

    @property
    def number(self) -> bytes:
        """Of a PUBLISH at QoS 1: the two bytes its acknowledgement repeats."""
        start = 2 + int.from_bytes(self.body[:2])
        return self.body[start : start + 2]


Script = Callable[[Packet], bytes | None]


class ScriptedBroker:
    """Answers each packet with what the script returns; None closes the connection, b"" stays silent."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.packets: queue.Queue[Packet] = queue.Queue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def next(self, kind: int) -> Packet:
        """The next packet of a kind; others are passed over."""
        while True:
            packet = self.packets.get(timeout=PATIENCE_S)
            if packet.kind == kind:
                return packet

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            _cut(connection)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            number = len(self._connections) - 1
            self._threads.append(threading.Thread(target=self._serve, args=(connection, number), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection:
            while (packet := _read_packet(connection, number)) is not None:
                self.packets.put(packet)
                answer = self._script(packet)
                if answer is None:
                    return
                try:
                    connection.sendall(answer)
                except OSError:
                    return


def obliging(packet: Packet) -> bytes | None:
    """A script of good manners for both versions."""
    if packet.kind == CONNECT:
        return WELCOME_V5 if packet.level == 5 else WELCOME_V311
    if packet.kind == PUBLISH and packet.qos:
        return b"\x40\x02" + packet.number
    return b""


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was first


def _read_packet(connection: socket.socket, number: int) -> Packet | None:
    try:
        head = _read(connection, 1)
        length, shift = 0, 0
        while True:
            byte = _read(connection, 1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        return Packet(number, head[0] >> 4, head[0] & 15, _read(connection, length))
    except (OSError, EOFError):
        return None


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data
