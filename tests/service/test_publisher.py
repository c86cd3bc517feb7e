"""The publisher's process from inside: it obeys, reports, passes on, and never outlives the service."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from edge.core.clock import HandClock, SystemClock
from edge.core.values import Message
from edge.service import inside, letters
from edge.service.channel import Channel, ChannelClosedError
from edge.service.letters import Arrived, Committed, Leave, Progress, Setup, Tell
from edge.service.publisher import Publisher, first_word, leave_at_once

PATIENCE_S = 20.0
SETUP = Setup(
    "gate", "localhost", 1883, 15, None, None, False, None, None, None, "o.db", None, 1 << 20, None, 20, "boot"
)
STATE = Message("edge/gate/status", b"online", qos=1, retain=True)


class FakeSender:
    """Publishes nothing; ``run`` ends when it is told to leave, or by a fault of its own."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.hints = 0
        self.within_s: float | None = None
        self.fault: Exception | None = None
        self.is_over = threading.Event()

    def run(self) -> None:
        self.is_over.wait(PATIENCE_S)
        if self.fault is not None:
            raise self.fault

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def hint(self) -> None:
        self.hints += 1

    def leave(self, within_s: float) -> None:
        self.within_s = within_s
        self.is_over.set()


class Process:
    """A publisher in a thread, and the service's end of the channel."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.channel, self.theirs = Channel(ours), Channel(theirs)
        self.sender = FakeSender()
        self.publisher = Publisher(
            self.theirs, self.sender, progress=lambda heard: Progress(heard=heard), clock=SystemClock()
        )
        self.codes: list[int] = []
        self.thread = threading.Thread(target=lambda: self.codes.append(self.publisher.live()), daemon=True)
        self._said: list[Any] = []

    def tell(self, *words: object) -> None:
        for word in words:
            self.channel.send(letters.encode(word))

    def hear(self, wanted: object) -> None:
        """Wait until it has said this."""
        while wanted not in self._said:
            self.channel.wait(PATIENCE_S)
            self._said += [letters.read_by_service(frame) for frame in self.channel.receive()]

    def end(self) -> None:
        self.sender.is_over.set()
        if self.thread.ident is not None:
            self.thread.join(PATIENCE_S)
        self.channel.close()
        self.theirs.close()


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    process.thread.start()
    yield process
    process.end()


def test_it_obeys_and_says_how_far_it_is(process: Process) -> None:
    process.tell(Tell(STATE), Tell(STATE), Committed())

    process.hear(Progress(heard=2))

    assert process.sender.sent == [STATE, STATE]
    assert process.sender.hints == 1


def test_what_came_in_is_passed_on(process: Process) -> None:
    arrived = Arrived("edge/gate/command/restart", b"{}", False)

    process.publisher.pass_on(arrived)

    process.hear(arrived)


def test_told_to_leave_it_ends_well(process: Process) -> None:
    process.tell(Leave(2.5))
    process.thread.join(PATIENCE_S)

    assert process.sender.within_s == 2.5
    assert process.codes == [0]


def test_a_fault_of_its_own_ends_it_with_another_code(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    process.sender.fault = RuntimeError("broken")
    process.sender.is_over.set()
    process.thread.join(PATIENCE_S)

    assert process.codes == [1]
    assert "broken" in caplog.text


def test_a_second_first_word_is_an_error_and_changes_nothing(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    process.tell(SETUP, Tell(STATE))

    process.hear(Progress(heard=1))

    assert "twice" in caplog.text


def test_without_the_service_it_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    process = Process()
    process.thread.start()

    process.channel.close()
    process.thread.join(PATIENCE_S)
    process.end()

    assert left == [0]


def test_the_last_word_to_a_service_that_does_not_read_is_given_up_after_a_while() -> None:
    process = Process()
    process.publisher._clock = clock = HandClock()
    channel = FullChannel(clock)
    process.publisher._channel = channel  # type: ignore[assignment]

    process.publisher._last_word()

    assert clock.monotonic_ns() >= 1_000_000_000
    assert channel.frames == [Progress()]
    process.end()


class FullChannel:
    """A channel whose other end does not read."""

    is_flushed = False

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.frames: list[Any] = []

    def send(self, frame: bytes) -> None:
        self.frames.append(letters.read_by_service(frame))

    def wait(self, timeout_s: float) -> None:
        self._clock.advance(timeout_s)

    def flush(self) -> None: ...


@pytest.mark.parametrize("word", [SETUP, Committed()])
def test_the_first_word_says_what_to_do(word: Setup | Committed) -> None:
    ours, theirs = socket.socketpair()
    Channel(ours).send(letters.encode(word))

    if word == SETUP:
        assert first_word(Channel(theirs), SystemClock()) == SETUP
    else:
        with pytest.raises(ChannelClosedError, match="another word"):
            first_word(Channel(theirs), SystemClock())
    ours.close()
    theirs.close()


def test_without_a_first_word_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "_FIRST_WORD_S", 3.0)
    clock = HandClock()

    class Silent:
        def wait(self, timeout_s: float) -> None:
            clock.advance(timeout_s)

        def receive_one(self) -> None:
            return None

    with pytest.raises(ChannelClosedError, match="said nothing"):
        first_word(Silent(), clock)  # type: ignore[arg-type]


def test_leaving_at_once_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)

    leave_at_once(3)

    assert left == [3]
