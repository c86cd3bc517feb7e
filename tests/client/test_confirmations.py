"""How a consumer tells devices how far it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.client.addresses import Addresses
from edge.client.book import Book
from edge.client.confirmations import PAUSE_S, Confirmations
from edge.client.notices import Notice
from edge.client.store import Store
from edge.core.clock import HandClock
from edge.core.values import Message
from edge.wire.reasons import NOT_AUTHORIZED, SUCCESS


class FakeConnection:
    """Takes everything, and acknowledges what the test says."""

    is_open = True
    is_drained = True

    def __init__(self) -> None:
        self.said: list[tuple[str, str, int]] = []
        self.codes: list[tuple[int, int]] = []

    def publish(self, message: Message, *, expiry_s: int | None) -> int:
        cursor = json.loads(message.payload)
        assert message.retain
        self.said.append((message.topic, cursor["epoch"], cursor["seq"]))
        return len(self.said)

    def acknowledged(self) -> list[tuple[int, int]]:
        codes, self.codes = self.codes, []
        return codes


class Desk:
    """Confirmations over a book on a real file."""

    def __init__(self, folder: Path, *, is_named: bool = True) -> None:
        self.clock = HandClock()
        self.store = Store(folder / "c.db")
        self.store.open()
        self.book = Book(self.store, strict_order=False)
        self.notices: list[Notice] = []
        self.connection = FakeConnection()
        self.confirmations = Confirmations(
            self.book,
            Addresses(None, "archive"),
            is_named=is_named,
            acknowledge_s=10.0,
            clock=self.clock,
            tell=self.notices.append,
        )
        self.confirmations.connected(window=2)

    def take(self, device: str, epoch: str, *numbers: int) -> None:
        for number in numbers:
            self.book.take(device, epoch, number)
        self.confirmations.due([(device, epoch)])

    def flush(self) -> bool:
        self.clock.advance(PAUSE_S)
        return self.confirmations.flush(self.connection)  # type: ignore[arg-type]

    def settle(self, *codes: tuple[int, int]) -> None:
        self.connection.codes = list(codes)
        self.confirmations.settle(self.connection)  # type: ignore[arg-type]

    @property
    def said(self) -> list[tuple[str, int]]:
        said = [(epoch, seq) for _, epoch, seq in self.connection.said]
        self.connection.said.clear()
        return said


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()


def test_the_highest_number_without_a_hole_is_said_a_few_times_a_second_at_most(desk: Desk) -> None:
    desk.take("gate", "E1", 1, 2, 4)
    assert desk.flush()
    desk.take("gate", "E1", 3)

    assert not desk.confirmations.flush(desk.connection)  # type: ignore[arg-type]
    assert desk.said == [("E1", 2)]
    assert desk.flush()
    assert desk.said == [("E1", 4)]


def test_nothing_is_said_before_the_first_is_there(desk: Desk) -> None:
    desk.take("gate", "E1", 2)

    assert desk.flush()
    assert desk.said == []


def test_the_newest_epoch_is_said_last_for_the_topic_holds_one(desk: Desk) -> None:
    desk.take("gate", "E1", 1)
    desk.take("gate", "E2", 1)
    desk.flush()
    desk.settle((1, SUCCESS), (2, SUCCESS))
    desk.flush()
    desk.settle((1, SUCCESS), (2, SUCCESS))
    _ = desk.said

    desk.take("gate", "E1", 2)
    while not desk.flush():
        pass

    assert desk.said == [("E1", 2), ("E2", 1)]


def test_on_a_connection_each_device_hears_that_we_are_here(desk: Desk) -> None:
    desk.take("gate", "E1", 1)
    desk.take("gate", "E2", 2)  # nothing to confirm of it yet
    desk.take("yard", "E1", 1)
    desk.flush()
    _ = desk.said

    desk.confirmations.connected(window=20)
    desk.flush()

    assert sorted(desk.said) == [("E1", 1), ("E1", 1)]


def test_no_more_is_under_way_than_the_broker_takes(desk: Desk) -> None:
    for device in ("a", "b", "c"):
        desk.take(device, "E1", 1)

    assert not desk.flush()
    assert len(desk.said) == 2
    desk.settle((1, SUCCESS), (2, SUCCESS))
    assert desk.flush()
    assert len(desk.said) == 1


def test_a_consumer_without_a_name_confirms_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, is_named=False)
    desk.take("gate", "E1", 1)

    assert desk.flush()
    desk.confirmations.connected(20)
    assert desk.flush()  # else gaps are never looked for after a reconnect
    assert desk.said == []
    desk.store.close()


def test_a_refusal_is_said_once_per_topic(desk: Desk) -> None:
    desk.take("gate", "E1", 1)
    desk.flush()
    desk.settle((1, NOT_AUTHORIZED), (99, NOT_AUTHORIZED))
    desk.take("gate", "E1", 2)
    desk.flush()
    desk.settle((2, NOT_AUTHORIZED))

    (notice,) = desk.notices
    assert "access list" in notice.words


def test_refusals_of_very_many_topics_are_said_but_not_remembered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.confirmations._told = {f"topic {number}" for number in range(1000)}
    desk.take("gate", "E1", 1)
    desk.flush()

    desk.settle((1, NOT_AUTHORIZED))

    assert len(desk.notices) == 1
    assert len(desk.confirmations._told) == 1000


def test_without_an_acknowledgement_the_connection_is_overdue_after_a_while(desk: Desk) -> None:
    assert not desk.confirmations.is_overdue()
    desk.take("gate", "E1", 1)
    desk.flush()
    desk.clock.advance(9.9)
    assert not desk.confirmations.is_overdue()

    desk.clock.advance(0.1)

    assert desk.confirmations.is_overdue()


def test_an_epoch_that_was_forgotten_meanwhile_is_not_confirmed(desk: Desk) -> None:
    desk.confirmations.due([("gate", "E1")])

    assert desk.flush()
    assert desk.said == []
