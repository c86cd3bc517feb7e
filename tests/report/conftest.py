"""The broker of these tests: a real mosquitto, or none of them are run and the summary says so."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.wire.settings import BrokerSettings
from tests.brokers import Brokers, brokers_in, has_mosquitto
from tests.fakes_report import Diary, Running
from tests.scripted_broker import Script, ScriptedBroker

_ADVICE = "install mosquitto and mosquitto-clients (apt-get install mosquitto mosquitto-clients)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    needy = [item for item in items if item.get_closest_marker("broker")]
    if not needy or has_mosquitto():
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"{len(needy)} tests need a real broker: {_ADVICE}")
    config.hook.pytest_deselected(items=needy)
    items[:] = [item for item in items if not item.get_closest_marker("broker")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not has_mosquitto():
        terminalreporter.write_line(f"no mosquitto here: the tests that need a real broker were left out; {_ADVICE}")


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    yield from brokers_in(tmp_path)


@pytest.fixture
def script() -> Iterator[Callable[[Script], ScriptedBroker]]:
    """Makes scripted brokers."""
    made: list[ScriptedBroker] = []

    def make(does: Script) -> ScriptedBroker:
        made.append(ScriptedBroker(does))
        return made[-1]

    yield make
    for broker in made:
        broker.close()


@pytest.fixture
def run(diary: Diary) -> Iterator[Callable[..., Running]]:
    """Starts sinks in threads; ends them."""
    started: list[Running] = []

    def start(port: int, **options: object) -> Running:
        settings = options.pop("settings", None) or BrokerSettings("127.0.0.1", port)
        started.append(Running(settings, **options).start())  # type: ignore[arg-type]
        return started[-1]

    yield start
    for running in started:
        running.stop(0.5)


@pytest.fixture
def diary() -> Iterator[Diary]:
    """What the room logs."""
    handler, logger = Diary(), logging.getLogger("edge.report")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)
