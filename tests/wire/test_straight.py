from __future__ import annotations

import pytest

from edge.core.values import Message
from edge.wire.packets import Version, publish_packet
from edge.wire.straight import Straight

MESSAGE = Message("edge/gate/camera/yard/detections", b"{}" * 20)
PACKET = publish_packet(MESSAGE, Version.V5, expiry_s=2)


class Wire:
    """A socket that takes so many bytes at a time, and then none."""

    def __init__(self, *room: int, is_broken: bool = False) -> None:
        self.room = list(room)
        self.is_broken = is_broken
        self.sent = b""

    def send(self, content: bytes, /) -> int:
        if self.is_broken:
            raise BrokenPipeError
        if not self.room:
            raise BlockingIOError
        part = content[: self.room.pop(0)]
        self.sent += part
        return len(part)


def test_a_message_goes_in_one_piece_where_there_is_room() -> None:
    straight, wire = Straight(), Wire(1000)

    assert straight.send(wire, MESSAGE, Version.V5, expiry_s=2)

    assert (wire.sent, straight.is_done) == (PACKET, True)


def test_the_rest_of_one_that_has_begun_is_written_before_another_begins() -> None:
    straight, wire = Straight(), Wire(5)
    straight.send(wire, MESSAGE, Version.V5, expiry_s=2)

    assert not straight.is_done
    assert not straight.send(wire, MESSAGE, Version.V5, expiry_s=2)
    assert not straight.go_on(wire)
    wire.room = [10, 1000]
    assert straight.go_on(wire)

    assert (wire.sent, straight.is_done) == (PACKET, True)


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (Wire(), MESSAGE),
        (Wire(is_broken=True), MESSAGE),
        (Wire(1000), Message("a", b"", qos=1)),
        (Wire(1000), Message("a/#", b"")),
        (Wire(1000), Message("a/+", b"")),
    ],
    ids=["no room", "broken", "wants an answer", "all below", "any one"],
)
def test_what_can_not_go_straight_is_left_to_others(wire: Wire, message: Message) -> None:
    straight = Straight()

    assert not straight.send(wire, message, Version.V5, expiry_s=2)

    assert (wire.sent, straight.is_done) == (b"", True)


def test_on_a_wire_that_broke_nothing_is_held_back() -> None:
    straight = Straight()
    straight.send(Wire(5), MESSAGE, Version.V5, expiry_s=2)

    assert straight.go_on(Wire(is_broken=True))
    assert straight.is_done
