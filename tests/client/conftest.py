"""A broker, devices and consumers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.client import BrokerSettings, Consumer, ConsumerSettings, Delivery, Notice, Pace
from tests.brokers import Brokers, Mosquitto, brokers_in, has_mosquitto
from tests.fakes_client import FakeDevice

QUICK = Pace(backoff_first_s=0.05, backoff_longest_s=0.2, connect_s=2.0, acknowledge_s=5.0)
_ADVICE = "install mosquitto and mosquitto-clients (apt-get install mosquitto mosquitto-clients)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    needy = [item for item in items if item.get_closest_marker("broker")]
    if not needy or has_mosquitto():
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"{len(needy)} tests need a real broker: {_ADVICE}")
    config.hook.pytest_deselected(items=needy)
    items[:] = [item for item in items if not item.get_closest_marker("broker")]


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    yield from brokers_in(tmp_path)


@pytest.fixture
def broker(brokers: Brokers, tmp_path: Path) -> Mosquitto:
    (tmp_path / "store").mkdir()
    return brokers.start(f"persistence true\npersistence_location {tmp_path / 'store'}/")


@pytest.fixture
def device(broker: Mosquitto) -> Iterator[FakeDevice]:
    device = FakeDevice(broker.port)
    yield device
    device.close()


class Follower:
    """A consumer and what it said."""

    def __init__(self, port: int, settings: ConsumerSettings) -> None:
        self.notices: list[Notice] = []
        self.consumer = Consumer(settings, BrokerSettings("127.0.0.1", port), pace=QUICK, tell=self.notices.append)
        self.is_open = False
        self._moment = threading.Event()  # never set: a moment for the other threads

    def start(self) -> Follower:
        self.consumer.open()
        self.is_open = True
        self.wait_for(lambda: self.consumer.stats().connects > 0)
        return self

    def wait_for(self, is_so: Callable[[], bool], *, while_waiting: Callable[[], object] = lambda: None) -> None:
        for _ in range(400):
            if is_so():
                return
            while_waiting()
            self._moment.wait(0.02)
        raise AssertionError(f"not so in time: {self.consumer.stats()}, {[notice.words for notice in self.notices]}")

    def next(self, *, while_waiting: Callable[[], object] = lambda: None) -> Delivery:
        """The next event, done at once."""
        for _ in range(200):
            delivery = self.consumer.take(0.05)
            if delivery is not None:
                self.consumer.done(delivery)
                return delivery
            while_waiting()
        raise AssertionError(f"nothing came: {self.consumer.stats()}, {[notice.words for notice in self.notices]}")

    def numbers(self, count: int, *, while_waiting: Callable[[], object] = lambda: None) -> list[int]:
        return [self.next(while_waiting=while_waiting).seq for _ in range(count)]

    def close(self) -> None:
        if self.is_open:
            self.consumer.close()
            self.is_open = False


Follow = Callable[..., Follower]


@pytest.fixture
def follow(broker: Mosquitto, tmp_path: Path) -> Iterator[Follow]:
    """Starts consumers; by default one with a name that asks soon."""
    started: list[Follower] = []

    def start(**changes: object) -> Follower:
        wanted = {"name": "archive", "path": tmp_path / "archive.db", "grace_s": 0.3, **changes}
        started.append(Follower(broker.port, ConsumerSettings(**wanted)))  # type: ignore[arg-type]
        return started[-1].start()

    yield start
    for follower in started:
        follower.close()
