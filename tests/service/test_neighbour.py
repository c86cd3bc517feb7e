"""A publisher that systemd starts is supervised as the child is: reached, lost, reached again."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.core.clock import HandClock, SystemClock
from edge.core.errors import UsageError
from edge.service.channel import Channel
from edge.service.doorway import open_doorway, welcome
from edge.service.neighbour import Neighbour, Peer

PATIENCE_S = 20.0


@pytest.fixture
def doorway(tmp_path: Path) -> Iterator[socket.socket]:
    with open_doorway(tmp_path / "publisher") as opened:
        yield opened


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[Neighbour]:
    neighbour = Neighbour("publish", tmp_path / "publisher", greet=lambda: [b"hello"], clock=SystemClock())
    yield neighbour
    neighbour.end()


def let_in(doorway: socket.socket) -> closing[Channel]:
    return closing(welcome(doorway, alive=lambda: None))


def first_frame(channel: Channel) -> bytes:
    channel.wait(PATIENCE_S)
    return channel.receive()[0]


def test_it_is_greeted_as_a_child_is_and_answers(neighbour: Neighbour, doorway: socket.socket) -> None:
    is_new = neighbour.tend()
    with let_in(doorway) as channel:
        greeting = first_frame(channel)
        channel.send(b"good day")
        neighbour.wait(PATIENCE_S)

        assert (is_new, greeting, neighbour.receive()) == (True, b"hello", [b"good day"])
        assert neighbour.pid == os.getpid()


def test_one_that_hangs_up_is_reached_anew_and_greeted_again(neighbour: Neighbour, doorway: socket.socket) -> None:
    neighbour.tend()
    with let_in(doorway):
        pass

    neighbour.wait(PATIENCE_S)
    neighbour.receive()
    assert neighbour.pid is None
    while not neighbour.tend():
        neighbour.wait(PATIENCE_S)

    with let_in(doorway) as channel:
        assert first_frame(channel) == b"hello"


def test_nobody_at_home_is_tried_again_later_not_at_once(tmp_path: Path) -> None:
    clock = HandClock()
    neighbour = Neighbour("publish", tmp_path / "nowhere", greet=list, clock=clock)

    assert not neighbour.tend()
    with open_doorway(tmp_path / "nowhere"):
        assert not neighbour.tend()
        clock.advance(1.0)
        assert neighbour.tend()
        neighbour.end()


def test_the_socket_is_closed_to_everybody_outside_the_group(tmp_path: Path, doorway: socket.socket) -> None:
    assert (tmp_path / "publisher").stat().st_mode & 0o777 == 0o660


def test_the_system_this_user_and_its_group_are_trusted_and_nobody_else() -> None:
    user, group = os.geteuid(), os.getegid()

    assert Peer(1, 0, 0).is_trusted
    assert Peer(1, user, group + 1).is_trusted
    assert Peer(1, user + 1, group).is_trusted
    assert not Peer(1, user + 1, group + 1).is_trusted


def test_a_file_that_lies_where_the_socket_should_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")

    with pytest.raises(UsageError, match=r"letters\.txt: expected a place for a socket"):
        open_doorway(tmp_path / "letters.txt")

    assert (tmp_path / "letters.txt").read_text() == "mine"
