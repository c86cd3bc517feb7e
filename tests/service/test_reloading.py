"""A reload, step by step: what is said to systemd and to those who listen, whatever becomes of it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.core.clock import HandClock
from edge.core.errors import ConfigError, EdgeError, ModelError
from edge.core.values import Message
from edge.service import reloading
from edge.service.reloading import Reloading
from edge.service.systemd import Notifier

INFO = Message("info", b"info", retain=True)


class FakeChange:
    """A configuration that is good, with a model that may not be."""

    summary = "camera yard: rules"

    def __init__(self) -> None:
        self.is_model_ready = True
        self.error: EdgeError | None = None
        self.calls: list[str] = []

    def begin(self) -> None:
        self.calls.append("begin")

    def is_ready(self) -> bool:
        if self.error is not None:
            raise self.error
        return self.is_model_ready

    def put_in_force(self) -> None:
        self.calls.append("in force")

    def abandon(self) -> None:
        self.calls.append("abandon")


class Desk:
    """A reloading whose thread is this one, and the end of the socket that systemd reads."""

    def __init__(self, folder: Path) -> None:
        self._systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._systemd.bind(str(folder / "notify"))
        self._systemd.setblocking(False)
        self.clock = HandClock()
        self.change = FakeChange()
        self.error: Exception | None = None
        self.reads = 0
        self.reloading = Reloading(self._prepare, Notifier(str(folder / "notify")), self.clock)
        self.reloading.describe = lambda: [INFO]

    def _prepare(self) -> FakeChange:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.change

    def turns(self, count: int = 4) -> list[Message]:
        return [message for _ in range(count) for message in self.reloading.due()]

    def told(self) -> list[str]:
        """What systemd was told."""
        lines = []
        try:
            while True:
                lines.append(self._systemd.recv(4096).decode())
        except BlockingIOError:
            return lines

    def close(self) -> None:
        self._systemd.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    def at_once(work: Callable[[], None], *, name: str) -> None:
        work()

    monkeypatch.setattr(reloading, "do_aside", at_once)
    made = Desk(tmp_path)
    yield made
    made.close()


def test_nothing_is_read_until_somebody_asks(desk: Desk) -> None:
    assert desk.turns() == []
    assert (desk.reads, desk.told()) == (0, [])


def test_a_good_file_is_put_in_force_and_said(desk: Desk) -> None:
    desk.clock.advance(12.5)
    desk.reloading.ask()

    messages = desk.turns()

    assert messages == [INFO]
    assert desk.change.calls == ["begin", "in force"]
    assert desk.told() == [
        f"RELOADING=1\nMONOTONIC_USEC={desk.clock.monotonic_ns() // 1000}",
        "READY=1\nSTATUS=reloaded: camera yard: rules",
    ]


def test_a_bad_file_changes_nothing_and_is_said_until_a_good_one_comes(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.error = ConfigError("edge.yaml:3: cameras.yard.fps: expected a number\nedge.yaml:4: rotate: expected 90")
    desk.reloading.ask()

    messages = desk.turns()

    assert messages == [INFO]
    assert desk.change.calls == []
    assert desk.reloading.reasons == ("configuration_refused",)
    assert [line for line in caplog.messages if "edge.yaml:" in line] == [
        "reload: edge.yaml:3: cameras.yard.fps: expected a number",
        "reload: edge.yaml:4: rotate: expected 90",
    ]
    assert desk.told()[-1].startswith("READY=1\nSTATUS=reload refused, the configuration before stays in force: edge")

    desk.error = None
    desk.reloading.ask()
    desk.turns()
    assert (desk.reloading.reasons, desk.reloading.refused) == ((), None)


@pytest.mark.parametrize("late", [False, True])
def test_a_model_that_does_not_run_leaves_the_one_before_at_work(desk: Desk, late: bool) -> None:
    desk.change.is_model_ready = False
    desk.reloading.ask()
    desk.turns()
    assert desk.change.calls == ["begin"]

    if late:
        desk.clock.advance(100.0)
    else:
        desk.change.error = ModelError("the process that runs the model ended 3 times")
    messages = desk.turns()

    assert messages == [INFO]
    assert desk.change.calls == ["begin", "abandon"]
    assert desk.reloading.reasons == ("configuration_refused",)
    assert desk.told()[-1].startswith("READY=1")


def test_a_fault_of_our_own_is_a_refusal_too(desk: Desk) -> None:
    desk.error = RuntimeError("a fault")
    desk.reloading.ask()

    desk.turns()

    assert "a fault" in str(desk.reloading.refused)


def test_who_asks_while_one_is_under_way_gets_another(desk: Desk) -> None:
    desk.change.is_model_ready = False
    desk.reloading.ask()
    desk.turns()

    desk.reloading.ask()
    desk.change.is_model_ready = True
    desk.turns(8)

    assert desk.reads == 2
    assert desk.change.calls == ["begin", "in force", "begin", "in force"]
