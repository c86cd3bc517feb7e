"""A broker that obeys the letter of MQTT 5, behaves as badly as it is told, and writes down every breach of its client.

Runs in threads of its own over loopback, knows nothing of the client under test, and serves one or many connections.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.strict_packets import (
    CONNACK,
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBLISH,
    SUBACK,
    SUBSCRIBE,
    BreachError,
    Connect,
    Publish,
    read_connect,
    read_disconnect,
    read_empty,
    read_puback,
    read_publish,
    read_subscribe,
)

PATIENCE_S = 15.0
_ANSWERS = frozenset({4, 5, 7, 13, 15})  # PUBACK, PUBREC, PUBCOMP, PINGRESP, AUTH
_OWN_WINDOW = 65_535  # where no receive maximum is said


@dataclass(frozen=True)
class Manners:
    """How the broker behaves. The defaults are those of a good one.

    receive_maximum, maximum_packet : said in CONNACK, and held against the client
    unsaid_maximum : not said; a larger publish ends the connection with DISCONNECT 149
    connack : its reason code; anything but 0 is followed by hanging up
    is_mute : nothing is answered after CONNACK
    acks_by_hand : acknowledgements wait for ``release``
    ack_code : the reason code for a publish
    hang_up_every : after so many packets of a connection (CONNECT not counted) it is cut
    hang_up_after_s : a connection that has lived so long is cut at its next packet
    farewell : the reason code of a DISCONNECT before that; None = without a word
    noise : what is sent after each packet of the client, besides the answer
    """

    receive_maximum: int | None = None
    maximum_packet: int | None = None
    unsaid_maximum: int | None = None
    connack: int = 0
    is_mute: bool = False
    acks_by_hand: bool = False
    ack_code: Callable[[Publish], int] = lambda _publish: 0
    hang_up_every: int | None = None
    hang_up_after_s: float | None = None
    farewell: int | None = None
    noise: Callable[[], bytes] = lambda: b""


@dataclass
class Book:
    """What was seen, over all connections; the lock is held for each entry."""

    breaches: list[str] = field(default_factory=list)
    connects: list[tuple[float, Connect]] = field(default_factory=list)
    published: list[Publish] = field(default_factory=list)
    accepted: Counter[bytes] = field(default_factory=Counter)  # payloads acknowledged with reason 0 or 16
    most_under_way: int = 0
    largest_packet: int = 0
    packets: int = 0
    noise_bytes: int = 0


class StrictBroker:
    """Listens at once; ``manners`` may be exchanged while it runs and count from the next packet on."""

    def __init__(self, manners: Manners | None = None, *, keep_publishes: bool = True) -> None:
        self.manners = manners or Manners()
        self.book = Book()
        self._keep_publishes = keep_publishes
        self._changed = threading.Condition()
        self._permits = 0
        self._is_closed = False
        self._links: list[_Link] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def release(self, count: int) -> None:
        """Let so many of the acknowledgements that wait go out, oldest first."""
        with self._changed:
            self._permits += count
            self._changed.notify_all()
        for link in list(self._links):
            link.send_waiting()

    def hang_up(self) -> None:
        """Cut all connections that there are."""
        for link in list(self._links):
            link.cut()

    def take_permit(self) -> bool:
        with self._changed:
            if self._permits:
                self._permits -= 1
                return True
            return False

    def wait_until(self, is_so: Callable[[Book], bool], timeout_s: float = PATIENCE_S) -> None:
        """Fails the test when it does not become so in time."""
        with self._changed:
            assert self._changed.wait_for(lambda: is_so(self.book), timeout_s), (
                f"not so within {timeout_s:g} s; breaches {self.book.breaches[:5]}, {self.book.packets} packets,"
                f" {len(self.book.connects)} connects, {len(self.book.accepted)} accepted"
            )

    def note(self, entry: Callable[[Book], None]) -> None:
        with self._changed:
            entry(self.book)
            self._changed.notify_all()

    def breach(self, words: str) -> None:
        self.note(lambda book: book.breaches.append(words))

    def saw(self, publish: Publish, under_way: int) -> None:
        with self._changed:
            if self._keep_publishes:
                self.book.published.append(publish)
            self.book.most_under_way = max(self.book.most_under_way, under_way)
            self._changed.notify_all()

    def close(self) -> None:
        self._is_closed = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            link.cut()
        self._thread.join(PATIENCE_S)
        for link in self._links:
            link.join(PATIENCE_S)

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._links = [link for link in self._links if link.is_alive()]
            link = _Link(self, connection)
            self._links.append(link)
            link.start()


class _Link(threading.Thread):
    """One connection."""

    def __init__(self, broker: StrictBroker, connection: socket.socket) -> None:
        super().__init__(daemon=True)
        self._broker = broker
        self._socket = connection
        self._sending = threading.Lock()
        self._level = 5
        self._is_welcome = False
        self._keepalive_s = 0
        self._under_way: dict[int, Publish] = {}  # received and not acknowledged, oldest first
        self._count = 0
        self._began = self._last = time.monotonic()
        self._has_said_goodbye = False
        self._is_noisy = False

    def run(self) -> None:
        with self._socket:
            try:
                while (head := self._read(1)) and self._serve(head[0]):
                    pass
            except BreachError as breach:
                self._broker.breach(str(breach))
            except OSError:
                return  # the client has gone, or the test is over

    def cut(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was gone already

    def send_waiting(self) -> None:
        while self._under_way and self._broker.take_permit():
            self._acknowledge(next(iter(self._under_way.values())))

    def _serve(self, head: int) -> bool:
        """Read the rest of a packet and answer; whether the connection goes on."""
        length, prefix = self._read_length()
        manners = self._broker.manners
        size = 1 + prefix + length
        if manners.maximum_packet is not None and size > manners.maximum_packet and self._is_welcome:
            raise BreachError(f"a packet of {size} bytes, and the maximum is {manners.maximum_packet}")
        body = self._read(length)
        self._note_packet(size)
        if head >> 4 == PUBLISH and manners.unsaid_maximum is not None and size > manners.unsaid_maximum:
            self._send(bytes([DISCONNECT << 4, 2, 149, 0]))
            return False
        if self._has_said_goodbye:
            raise BreachError("a packet after DISCONNECT")
        kind, flags = head >> 4, head & 15
        if not self._is_welcome and kind != CONNECT:
            raise BreachError(f"packet {kind} before CONNECT was answered")
        if kind == CONNECT:
            return self._connect(flags, body)
        self._handle(kind, flags, body, size)
        self._count += 1
        if self._is_over(manners):
            if manners.farewell is not None:
                self._send(bytes([DISCONNECT << 4, 2, manners.farewell, 0]))
            return False
        noise = manners.noise()
        if noise:
            self._is_noisy = True
            self._broker.note(lambda book: setattr(book, "noise_bytes", book.noise_bytes + len(noise)))
            self._send(noise)
        return True

    def _is_over(self, manners: Manners) -> bool:
        lived_s = time.monotonic() - self._began
        return (manners.hang_up_every is not None and self._count >= manners.hang_up_every) or (
            manners.hang_up_after_s is not None and lived_s >= manners.hang_up_after_s
        )

    def _note_packet(self, size: int) -> None:
        now = time.monotonic()
        if self._keepalive_s and now - self._last > 1.5 * self._keepalive_s:
            self._broker.breach(f"silent for {now - self._last:.1f} s with a keep-alive of {self._keepalive_s} s")
        self._last = now

        def entry(book: Book) -> None:
            book.packets += 1
            book.largest_packet = max(book.largest_packet, size)

        self._broker.note(entry)

    def _connect(self, flags: int, body: bytes) -> bool:
        if self._is_welcome:
            raise BreachError("a second CONNECT")
        connect = read_connect(flags, body)
        self._broker.note(lambda book: book.connects.append((time.monotonic(), connect)))
        self._level, self._keepalive_s = connect.level, connect.keepalive_s
        manners = self._broker.manners
        self._send(connack(manners, connect.level))
        self._is_welcome = manners.connack == 0
        return self._is_welcome

    def _handle(self, kind: int, flags: int, body: bytes, size: int) -> None:
        is_mute = self._broker.manners.is_mute
        if kind == PUBLISH:
            self._publish(read_publish(flags, body, level=self._level, size=size))
        elif kind == SUBSCRIBE:
            asked = read_subscribe(flags, body, level=self._level)
            middle = b"\x00" if self._level == 5 else b""
            if not is_mute:
                self._send(packet(SUBACK, asked.number.to_bytes(2) + middle + b"\x01" * len(asked.filters)))
        elif kind == PINGREQ:
            read_empty(flags, body)
            if not is_mute:
                self._send(bytes([PINGRESP << 4, 0]))
        elif self._is_noisy and kind in _ANSWERS:
            pass  # to something that the noise happened to say
        elif kind == PUBACK:
            raise BreachError(f"an acknowledgement of {read_puback(flags, body)}, which was never sent")
        elif kind == DISCONNECT:
            read_disconnect(flags, body)
            self._has_said_goodbye = True
        else:
            raise BreachError(f"packet {kind} is not one a client may send now")

    def _publish(self, publish: Publish) -> None:
        manners = self._broker.manners
        if publish.qos == 2:
            raise BreachError("QoS 2, which this contract does not use")
        if publish.dup:
            raise BreachError("DUP in a session that began clean: it is a new message here")
        if publish.qos and publish.number in self._under_way:
            raise BreachError(f"packet identifier {publish.number} is under way already")
        if publish.qos:
            self._under_way[publish.number] = publish
        self._broker.saw(publish, len(self._under_way))
        if len(self._under_way) > (manners.receive_maximum or _OWN_WINDOW):
            raise BreachError(f"{len(self._under_way)} under way, and the receive maximum is {manners.receive_maximum}")
        if publish.qos and not manners.is_mute and (not manners.acks_by_hand or self._broker.take_permit()):
            self._acknowledge(next(iter(self._under_way.values())))

    def _acknowledge(self, publish: Publish) -> None:
        code = self._broker.manners.ack_code(publish)
        self._under_way.pop(publish.number, None)
        number = publish.number.to_bytes(2)
        self._send(packet(PUBACK, number + bytes([code])) if code else packet(PUBACK, number))
        if code in (0, 16):
            self._broker.note(lambda book: book.accepted.update([publish.payload]))

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._socket.sendall(data)

    def _read_length(self) -> tuple[int, int]:
        value, shift = 0, 0
        for count in range(1, 5):
            byte = self._read(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value, count
            shift += 7
        raise BreachError("a remaining length of more than four bytes")

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data


def connack(manners: Manners, level: int) -> bytes:
    """What is said in answer to CONNECT."""
    if level != 5:
        return packet(CONNACK, bytes([0, 5 if manners.connack else 0]))
    properties = b""
    if manners.receive_maximum is not None:
        properties += b"\x21" + manners.receive_maximum.to_bytes(2)
    if manners.maximum_packet is not None:
        properties += b"\x27" + manners.maximum_packet.to_bytes(4)
    return packet(CONNACK, bytes([0, manners.connack, len(properties)]) + properties)


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, byte = rest // 128, rest % 128
        length.append(byte | 0x80 if rest else byte)
        if not rest:
            return bytes([kind << 4 | flags]) + bytes(length) + body


def garbage(chance: random.Random) -> bytes:
    """Bytes a broker should not send: framed packets of any kind with a random body, or no packet at all."""
    body = chance.randbytes(chance.choice((0, 1, 2, 3, 5, 20, 200)))
    if chance.random() < 0.2:
        return body
    return packet(chance.randrange(16), body, chance.randrange(16))
