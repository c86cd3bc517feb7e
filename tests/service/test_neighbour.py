"""A publisher that systemd starts is supervised as the child is: reached, lost, reached again."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edge.core.clock import HandClock, SystemClock
from edge.core.errors import InUseError, UsageError
from edge.service.channel import Channel
from edge.service.doorway import Doorway
from edge.service.neighbour import Neighbour, Peer

PATIENCE_S = 20.0


@contextmanager
def opened(path: Path) -> Iterator[Doorway]:
    doorway = Doorway(path)
    doorway.open()
    yield doorway
    doorway.leave()


@pytest.fixture
def doorway(tmp_path: Path) -> Iterator[Doorway]:
    with opened(tmp_path / "publisher") as doorway:
        yield doorway


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[Neighbour]:
    neighbour = Neighbour("publish", tmp_path / "publisher", greet=lambda: [b"hello"], clock=SystemClock())
    yield neighbour
    neighbour.end()


def let_in(doorway: Doorway) -> closing[Channel]:
    return closing(doorway.welcome(alive=lambda: None))


def first_frame(channel: Channel) -> bytes:
    channel.wait(PATIENCE_S)
    return channel.receive()[0]


def test_it_is_greeted_as_a_child_is_and_answers(neighbour: Neighbour, doorway: Doorway) -> None:
    is_new = neighbour.tend()
    with let_in(doorway) as channel:
        greeting = first_frame(channel)
        channel.send(b"good day")
        neighbour.wait(PATIENCE_S)

        assert (is_new, greeting, neighbour.receive()) == (True, b"hello", [b"good day"])
        assert neighbour.pid == os.getpid()


def test_one_that_hangs_up_is_reached_anew_and_greeted_again(neighbour: Neighbour, doorway: Doorway) -> None:
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
    with opened(tmp_path / "nowhere"):
        assert not neighbour.tend()
        clock.advance(1.0)
        assert neighbour.tend()
        neighbour.end()


def test_the_socket_is_closed_to_everybody_outside_the_group(tmp_path: Path, doorway: Doorway) -> None:
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
        Doorway(tmp_path / "letters.txt").open()

    assert (tmp_path / "letters.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_second_one_is_refused_and_told_of_the_first_which_stays_reachable(
    tmp_path: Path, doorway: Doorway, neighbour: Neighbour
) -> None:
    with pytest.raises(InUseError, match=rf"publisher: process {os.getpid()} has this place already") as caught:
        Doorway(tmp_path / "publisher").open()

    assert caught.value.exit_code == 75
    neighbour.tend()
    with let_in(doorway) as channel:
        assert first_frame(channel) == b"hello"


def test_the_place_stays_taken_while_the_detector_is_served_and_nobody_else_comes_in(
    tmp_path: Path, doorway: Doorway, neighbour: Neighbour
) -> None:
    neighbour.tend()
    with let_in(doorway):
        doorway.close()

        assert not (tmp_path / "publisher").exists()
        with pytest.raises(InUseError):
            Doorway(tmp_path / "publisher").open()


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with opened(tmp_path / "publisher"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_has_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    left_over = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left_over.bind(str(tmp_path / "publisher"))
    left_over.close()
    (tmp_path / "publisher.lock").write_text("4711\n")

    with opened(tmp_path / "publisher"):
        assert (tmp_path / "publisher").is_socket()


def test_another_program_s_socket_is_not_taken_away(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as foreign:
        foreign.bind(str(tmp_path / "publisher"))
        foreign.listen(1)

        with pytest.raises(InUseError, match=f"process {os.getpid()} has this place"):
            Doorway(tmp_path / "publisher").open()

    assert (tmp_path / "publisher").is_socket()
