from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from edge.service.channel import Channel, ChannelClosedError


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    left, right = (Channel(end) for end in socket.socketpair())
    yield left, right
    left.close()
    right.close()


def test_frames_come_whole_and_in_order(ends: tuple[Channel, Channel]) -> None:
    left, right = ends
    sent = [b"one", b"x" * 300_000, b"three"]

    for frame in sent:
        left.send(frame)
    received: list[bytes] = []
    while len(received) < len(sent):
        received += right.receive()
        left.flush()

    assert received == sent


def test_a_slow_reader_costs_a_bounded_amount_and_no_wait(ends: tuple[Channel, Channel]) -> None:
    left, _ = ends
    frames = 0
    while left.has_room:
        left.send(bytes(10_000))
        frames += 1

    assert frames < 1000
    assert not left.is_flushed


def test_rousing_wakes_the_other_side_and_is_no_frame(ends: tuple[Channel, Channel]) -> None:
    left, right = ends

    left.rouse()

    assert not right.wait(30.0)  # returns at once
    assert right.receive() == []
    left.rouse()
    left.send(b"one")
    left.rouse()
    assert right.receive_one() == b"one"
    assert right.receive() == []


def test_who_is_slow_is_awake_and_not_roused(ends: tuple[Channel, Channel]) -> None:
    left, right = ends
    while left.is_flushed:
        left.send(bytes(10_000))

    left.rouse()

    received: list[bytes] = []
    while not left.is_flushed:
        received += right.receive()
        left.flush()
    assert all(len(frame) == 10_000 for frame in received + right.receive())


def test_the_last_words_are_heard_before_the_end(ends: tuple[Channel, Channel]) -> None:
    left, right = ends
    left.send(b"last")
    left.close()

    assert right.receive() == [b"last"]
    with pytest.raises(ChannelClosedError):
        right.receive()


def test_what_is_no_frame_of_ours_ends_it(ends: tuple[Channel, Channel]) -> None:
    end, other = socket.socketpair()
    with end, other:
        end.send(b"\xff\xff\xff\xff rubbish")

        with pytest.raises(ChannelClosedError, match="none of ours"):
            Channel(other).receive()


def test_the_first_frame_can_be_taken_alone(ends: tuple[Channel, Channel]) -> None:
    left, right = ends
    left.send(b"first")
    left.send(b"second")

    assert right.receive_one() == b"first"
    assert right.receive() == [b"second"]


@pytest.mark.timeout(20)
def test_what_has_been_read_along_is_not_waited_for(ends: tuple[Channel, Channel]) -> None:
    left, right = ends
    left.send(b"first")
    left.send(b"second")
    right.receive_one()

    right.wait(60.0)

    assert right.receive() == [b"second"]
