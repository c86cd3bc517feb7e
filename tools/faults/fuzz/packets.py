"""What a broker sends: the session ends or goes on; nothing comes out of it but an ending."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tools.faults.fuzz.target import Target

_CONNACK = b"\x20\x03\x00\x00\x00"
_SEEDS = [
    _CONNACK,
    b"\x20\x09\x00\x00\x06\x21\x00\x14\x22\x00\x0a",
    _CONNACK + b"\x40\x02\x00\x01" + b"\x40\x03\x00\x01\x10" + b"\xd0\x00",
    _CONNACK + b"\x90\x05\x00\x01\x00\x01\x01",
    _CONNACK + b"\x30\x19\x00\x13edge/gate/command/x\x00abc",
    _CONNACK + b"\x32\x1b\x00\x13edge/gate/command/x\x00\x07\x00abc",
    _CONNACK + b"\x34\x1b\x00\x13edge/gate/command/x\x00\x07\x00abc" + b"\x62\x02\x00\x07",
    _CONNACK + b"\x30\x12\x00\x03a/b\x08\x02\x00\x00\x00\x0a\x23\x00\x01xyz",
    _CONNACK + b"\xe0\x02\x8e\x00",
    _CONNACK + b"\xe0\x0b\x89\x09\x1f\x00\x06sorry!",
    b"\x20\x02\x01\x00",
    b"\x20\x03\x00\x87\x00",
]
_WORDS = [_CONNACK, b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x01", b"\x26\x00\x01a\x00\x01b", b"\xf0\x00", b"\xc0\x00"]


def _open() -> Callable[[bytes], None]:
    from paho.mqtt.client import Client

    from edge.core.clock import HandClock
    from edge.core.values import Message
    from edge.report.ceiling import Ceiling
    from edge.report.lanes import Lanes
    from edge.report.listening import Heard, Inbox, Listening, Subscription
    from edge.report.session import Session
    from edge.report.stats import Ledger
    from edge.wire.connection import Connection
    from edge.wire.packets import Hello, Version
    from edge.wire.settings import BrokerSettings, Pace
    from edge.wire.wake import Wake

    ends: list[socket.socket] = []
    wake, will = Wake(), Message("edge/gate/status", b"offline", qos=1, retain=True)
    Client._create_socket_connection = lambda _self: ends.pop()  # type: ignore[method-assign]

    def one(content: bytes) -> None:
        theirs, ours = _pair()
        ends.append(ours)
        version = Version.V311 if len(content) % 5 == 0 else Version.V5
        clock, inbox = HandClock(), Inbox()
        pace = Pace(acknowledge_s=0.0001)
        settings = BrokerSettings("localhost", 1883)
        connection = Connection(settings, hello=Hello("gate", will), version=version, context=None, pace=pace)
        with theirs:
            theirs.sendall(content)
            theirs.shutdown(socket.SHUT_WR)
            turns = iter(range(1000))

            def leave_by() -> int | None:
                """It has to come to an end: all has been sent, and the other side has closed."""
                assert next(turns) < 900, "the session goes round and round"
                return None

            ending = Session(
                connection, version=version, lanes=Lanes(lambda _topic: 0), ledger=Ledger(), wake=wake, clock=clock,
                pace=pace,
                client_id="gate", farewell=will, listening=Listening([Subscription("edge/gate/command/#", inbox.put)]),
                leave_by=leave_by, ceiling=Ceiling(clock),
            ).live()  # fmt: skip
            assert isinstance(ending.words, str)
        while (heard := inbox.take()) is not None:
            assert isinstance(heard, Heard)

    return one


def _pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair()


PACKETS = Target("packets", lambda: _SEEDS, _open, _WORDS)
