"""MQTT 5 as its letter says, from the broker's side: reads a client's packets and names every breach (OASIS, 2019)."""

from __future__ import annotations

from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 1, 2, 3, 4, 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT, AUTH = 12, 13, 14, 15

# Property -> (kind of value, packets it may stand in); section 2.2.2.2, what a client may send. W = the will.
WILL = 0
_BYTE, _TWO, _FOUR, _VARIABLE, _TEXT, _BINARY, _PAIR = range(7)
_PROPERTIES: dict[int, tuple[int, frozenset[int]]] = {
    0x01: (_BYTE, frozenset({PUBLISH, WILL})),
    0x02: (_FOUR, frozenset({PUBLISH, WILL})),
    0x03: (_TEXT, frozenset({PUBLISH, WILL})),
    0x08: (_TEXT, frozenset({PUBLISH, WILL})),
    0x09: (_BINARY, frozenset({PUBLISH, WILL})),
    0x0B: (_VARIABLE, frozenset({SUBSCRIBE})),
    0x11: (_FOUR, frozenset({CONNECT, DISCONNECT})),
    0x15: (_TEXT, frozenset({CONNECT, AUTH})),
    0x16: (_BINARY, frozenset({CONNECT, AUTH})),
    0x17: (_BYTE, frozenset({CONNECT})),
    0x18: (_FOUR, frozenset({WILL})),
    0x19: (_BYTE, frozenset({CONNECT})),
    0x1F: (_TEXT, frozenset({PUBACK, DISCONNECT, AUTH})),
    0x21: (_TWO, frozenset({CONNECT})),
    0x22: (_TWO, frozenset({CONNECT})),
    0x23: (_TWO, frozenset({PUBLISH})),
    0x26: (_PAIR, frozenset({CONNECT, PUBLISH, WILL, PUBACK, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH})),
    0x27: (_FOUR, frozenset({CONNECT})),
}
_NOT_ZERO = frozenset({0x0B, 0x21, 0x23, 0x27})


class BreachError(Exception):
    """The client did what the standard forbids."""


@dataclass(frozen=True)
class Connect:
    level: int
    client_id: str
    keepalive_s: int
    is_clean: bool
    will_topic: str | None


@dataclass(frozen=True)
class Publish:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    number: int
    size: int


@dataclass(frozen=True)
class Subscribe:
    number: int
    filters: tuple[str, ...]


@dataclass
class Reader:
    """Reads the fields of one packet's body."""

    data: bytes
    at: int = field(default=0)

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise BreachError("a field goes beyond the end of its packet")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count))

    def variable(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.number(1)
            value |= (byte & 127) << shift
            if byte < 128:
                if shift and not byte:
                    raise BreachError("a variable byte integer is longer than it needs to be")
                return value
            shift += 7
            if shift > 21:
                raise BreachError("a variable byte integer has more than four bytes")

    def text(self) -> str:
        try:
            text = self.take(self.number(2)).decode()
        except UnicodeDecodeError:
            raise BreachError("a text is no UTF-8") from None
        if "\0" in text:
            raise BreachError("a text holds U+0000")
        return text

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    def properties(self, packet: int) -> dict[int, int]:
        """Checked for place, repetition and value; numbers are returned."""
        end = self.variable() + self.at
        found: dict[int, int] = {}
        while self.at < end:
            name = self.variable()
            if name not in _PROPERTIES or packet not in _PROPERTIES[name][1]:
                raise BreachError(f"property {name:#x} may not stand in packet {packet}")
            if name in found and name != 0x26:
                raise BreachError(f"property {name:#x} stands twice")
            found[name] = self._value(_PROPERTIES[name][0])
            if name in _NOT_ZERO and not found[name]:
                raise BreachError(f"property {name:#x} may not be zero")
        if self.at != end:
            raise BreachError("properties go beyond their length")
        return found

    def _value(self, kind: int) -> int:
        if kind in (_BYTE, _TWO, _FOUR):
            return self.number({_BYTE: 1, _TWO: 2, _FOUR: 4}[kind])
        if kind == _VARIABLE:
            return self.variable()
        if kind == _BINARY:
            self.take(self.number(2))
        else:
            self.text()
            if kind == _PAIR:
                self.text()
        return 1

    def end(self) -> None:
        if self.at != len(self.data):
            raise BreachError(f"{len(self.data) - self.at} bytes more than the packet may have")


def read_connect(flags: int, body: bytes) -> Connect:
    _expect_flags(flags, 0)
    reader = Reader(body)
    if reader.text() != "MQTT":
        raise BreachError("the protocol's name is not MQTT")
    level, options, keepalive_s = reader.number(1), reader.number(1), reader.number(2)
    if options & 1:
        raise BreachError("the reserved bit of CONNECT is set")
    if options & 0x18 == 0x18 or (not options & 4 and options & 0x38):
        raise BreachError("the will's flags contradict each other")
    if level == 5:
        reader.properties(CONNECT)
    client_id = reader.text()
    will_topic = None
    if options & 4:
        if level == 5:
            reader.properties(WILL)
        will_topic = _topic(reader.text())
        reader.take(reader.number(2))
    if options & 0x80:
        reader.text()
    if options & 0x40:
        reader.take(reader.number(2))
    reader.end()
    return Connect(level, client_id, keepalive_s, bool(options & 2), will_topic)


def read_publish(flags: int, body: bytes, *, level: int, size: int) -> Publish:
    qos, dup = flags >> 1 & 3, bool(flags & 8)
    if qos == 3:
        raise BreachError("QoS 3 does not exist")
    if dup and not qos:
        raise BreachError("DUP at QoS 0")
    reader = Reader(body)
    topic = _topic(reader.text())
    number = _packet_id(reader) if qos else 0
    if level == 5 and 0x23 in reader.properties(PUBLISH):
        raise BreachError("a topic alias, and none was offered")
    return Publish(topic, reader.rest(), qos, bool(flags & 1), dup, number, size)


def read_subscribe(flags: int, body: bytes, *, level: int) -> Subscribe:
    _expect_flags(flags, 2)
    reader = Reader(body)
    number = _packet_id(reader)
    if level == 5:
        reader.properties(SUBSCRIBE)
    filters = []
    while reader.at < len(body):
        filters.append(_filter(reader.text()))
        options = reader.number(1)
        if options & 0xC0 or options & 3 == 3 or options & 0x30 == 0x30:
            raise BreachError("the options of a subscription are not valid")
    if not filters:
        raise BreachError("a SUBSCRIBE without a filter")
    return Subscribe(number, tuple(filters))


def read_puback(flags: int, body: bytes) -> int:
    _expect_flags(flags, 0)
    reader = Reader(body)
    number = _packet_id(reader)
    if reader.at < len(body):
        reader.number(1)
    if reader.at < len(body):
        reader.properties(PUBACK)
    reader.end()
    return number


def read_disconnect(flags: int, body: bytes) -> None:
    _expect_flags(flags, 0)
    reader = Reader(body)
    if body:
        reader.number(1)
    if reader.at < len(body):
        reader.properties(DISCONNECT)
    reader.end()


def read_empty(flags: int, body: bytes) -> None:
    _expect_flags(flags, 0)
    Reader(body).end()


def _expect_flags(flags: int, expected: int) -> None:
    if flags != expected:
        raise BreachError(f"reserved flags are {flags:#x}, not {expected:#x}")


def _packet_id(reader: Reader) -> int:
    number = reader.number(2)
    if number == 0:
        raise BreachError("packet identifier 0")
    return number


def _topic(topic: str) -> str:
    if not topic or "+" in topic or "#" in topic:
        raise BreachError(f"{topic!r:.80} is no topic to publish to")
    return topic


def _filter(topic: str) -> str:
    levels = topic.split("/")
    if not topic or "#" in levels[:-1] or any(len(level) > 1 and set(level) & set("+#") for level in levels):
        raise BreachError(f"{topic!r:.80} is no filter")
    return topic
