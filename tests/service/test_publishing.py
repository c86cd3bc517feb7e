"""The service's way out: what reaches the publisher, what waits, what is dropped, and how it ends."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.core.clock import HandClock
from edge.core.values import Message
from edge.report.listening import Heard
from edge.report.outbox.values import Guarantee, Mode, OutboxReading, outgoing
from edge.report.payloads import event_message
from edge.report.states import Delivery
from edge.report.topics import Topics
from edge.service import board, letters, publishing
from edge.service.board import DETECTION_LIMIT
from edge.service.letters import Arrived, Committed, Leave, Progress, Setup, Tell
from edge.service.publishing import FINISH_S, STOP_S, Publishing
from edge.wire.wake import Wake
from tests.fakes_report import make_event

TOPICS = Topics("gate")
SETUP = Setup(
    "gate", "localhost", 1883, 15, None, "secret", False, None, None, None, "o.db", None, 1 << 20, None, 20, "boot"
)
READING = OutboxReading(Mode.DURABLE, Guarantee.WINDOW, 0, 0, False, 0, 0, "", ())


class FakeWriter:
    """Stands for the outbox's writer."""

    def __init__(self) -> None:
        self.appended: list[Any] = []
        self.state = READING
        self.stops_in_time = True
        self.rounds = 0
        self.ticks = 0

    def start(self) -> None: ...

    def append(self, record: Any) -> None:
        self.appended.append(record)

    def tick(self) -> None:
        self.ticks += 1

    def reading(self) -> OutboxReading:
        return self.state

    def stop(self, timeout_s: float) -> bool:
        return self.stops_in_time


class FakeChild:
    """Stands for the publisher's process: what it was told, what it says, whether it takes more."""

    def __init__(self, name: str, *, greet: Callable[[], list[bytes]]) -> None:
        self.greeting = [letters.read_by_publisher(frame) for frame in greet()]
        self.pid: int | None = None
        self.told: list[Any] = []
        self.says: list[bytes] = []
        self.room = 1000
        self.takes_at_once = False
        self.is_flushed = True
        self.is_new = True
        self.is_dismissed = False
        self.has_gone = False
        self.failures: list[str] = []
        self.was_ended = False

    def tend(self) -> bool:
        is_new, self.is_new = self.is_new, False
        if is_new:
            self.pid = 4711
        return is_new

    def send(self, frame: bytes) -> bool:
        if not self.room:
            return False
        self.room -= 1
        self.told.append(letters.read_by_publisher(frame))
        return True

    def offer(self, frame: bytes) -> bool:
        return self.takes_at_once and self.send(frame)

    def dismiss(self) -> None:
        self.is_dismissed = self.has_gone = True

    def wait(self, timeout_s: float, *others: int) -> None: ...

    def receive(self) -> list[bytes]:
        says, self.says = self.says, []
        return says

    def fail(self, why: str) -> None:
        self.failures.append(why)

    def end(self, *, is_late: bool = True) -> None:
        self.was_ended = True


class Service:
    """A way out without processes, gone round by hand."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.writer = FakeWriter()
        self.heard: list[Heard] = []
        self.child = FakeChild("publish", greet=lambda: [letters.encode(SETUP)])
        self.outlet = Publishing(
            self.child,  # type: ignore[arg-type]
            self.writer,  # type: ignore[arg-type]
            guarantee=Delivery.ACKNOWLEDGED,
            describe=lambda delivery: Message(TOPICS.info(), delivery.value.encode(), qos=1, retain=True),
            hear=self.heard.append,
            clock=self.clock,
        )

    def go_round(self, *said: object) -> list[Any]:
        """What the publisher was told in this round, in which it says so much."""
        self.child.told.clear()
        self.child.says = [letters.encode(word) for word in said]
        self.outlet._round()
        return list(self.child.told)


@pytest.fixture
def service() -> Service:
    return Service()


def state(value: str, topic: str = "edge/gate/status") -> Message:
    return Message(topic, value.encode(), qos=1, retain=True)


def boxes(number: int) -> Message:
    return Message(TOPICS.detections("yard"), str(number).encode())


def payloads(told: list[Any]) -> list[bytes]:
    return [word.message.payload for word in told if isinstance(word, Tell)]


def test_the_first_word_holds_all_and_shows_no_password(service: Service) -> None:
    assert service.child.greeting == [SETUP]
    assert "secret" not in repr(SETUP)


def test_an_event_goes_to_the_outbox_and_only_word_of_it_to_the_publisher(service: Service) -> None:
    service.go_round()
    message = event_message(make_event(seq=7), TOPICS)

    service.outlet.send(message)
    service.outlet.committed()

    assert service.writer.appended == [outgoing(message)]
    assert service.go_round() == [Committed()]
    assert service.go_round() == []


def test_of_state_the_last_value_is_told_and_all_of_it_again_to_a_new_publisher(service: Service) -> None:
    service.outlet.send(state("offline"))
    service.outlet.send(state("online"))
    assert payloads(service.go_round()) == [b"online"]
    assert payloads(service.go_round()) == []

    service.child.is_new = True

    assert payloads(service.go_round()) == [b"online"]


def test_what_a_slow_publisher_has_no_room_for_waits_and_is_told_later(service: Service) -> None:
    service.go_round()
    service.child.room = 0
    service.outlet.committed()
    service.outlet.send(state("online"))
    assert service.go_round() == []
    service.outlet.send(boxes(1))

    service.child.room = 2
    first = service.go_round()
    service.child.room = 10

    assert first[0] == Committed()
    assert payloads(first) == [b"online"]
    assert payloads(service.go_round()) == [b"1"]


def test_of_detections_the_oldest_go_and_are_counted(service: Service) -> None:
    for number in range(DETECTION_LIMIT + 2):
        service.outlet.send(boxes(number))

    assert payloads(service.go_round())[0] == b"2"
    assert service.outlet.standing().drops == {"message_no_publisher": 2}


def test_state_of_too_many_topics_is_not_taken_and_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "STATE_LIMIT", 1)
    service.outlet.send(state("1", "edge/gate/a"))
    service.outlet.send(state("2", "edge/gate/b"))
    service.outlet.send(state("3", "edge/gate/a"))

    assert payloads(service.go_round()) == [b"3"]
    assert service.outlet.standing().drops == {"message_overflow": 1}


def test_it_is_settled_when_the_publisher_has_taken_all_and_says_so(service: Service) -> None:
    service.outlet.send(state("online"))
    assert not service.outlet.is_settled()
    service.go_round(Progress(heard=1, is_settled=False))
    assert not service.outlet.is_settled()

    service.go_round(Progress(heard=1, is_settled=True))

    assert service.outlet.is_settled()


def test_what_came_in_is_passed_on(service: Service) -> None:
    service.go_round(Arrived("edge/gate/command/restart", b"{}", False))

    assert service.heard == [Heard("edge/gate/command/restart", b"{}", False)]


def test_the_counts_of_a_publisher_that_ended_stay(service: Service) -> None:
    service.go_round(Progress(delivered=5, connects=1, unheard=1, drops={"expired": 2}, last_error="away"))
    service.child.is_new = True
    service.go_round(Progress(delivered=3, connects=1, drops={"expired": 1, "overflow": 0}))

    standing = service.outlet.standing()

    assert (standing.delivered, standing.unheard, standing.ever_connected) == (8, 1, True)
    assert standing.drops == {"message_expired": 3}
    assert standing.last_error == "away"


def test_troubles_are_told_by_their_codes(service: Service) -> None:
    service.writer.state = replace(READING, pending=3, waiting=2, is_full=True)
    service.go_round(Progress(unheard_now=1, denied_now=1, refused_now=1))
    reasons = service.outlet.standing().reasons
    service.writer.state = replace(READING, mode=Mode.HELD, is_full=True)

    assert service.outlet.standing().reasons == (
        "outbox_memory_only",
        "events_unheard",
        "events_denied",
        "events_refused",
    )
    assert reasons == ("outbox_full", "events_unheard", "events_denied", "events_refused")


def test_the_promise_in_force_is_said_anew_when_it_changes(service: Service) -> None:
    assert service.outlet.describe().payload == b"acknowledged"
    service.outlet.open()
    service.outlet.tick()
    assert payloads(service.go_round()) == [b"acknowledged"]

    service.outlet.tick()
    assert payloads(service.go_round()) == []
    service.writer.state = replace(READING, mode=Mode.VOLATILE)
    service.outlet.tick()

    assert payloads(service.go_round()) == [b"memory"]
    assert service.outlet.describe().payload == b"memory"
    assert service.writer.ticks == 3


def test_a_publisher_that_makes_no_progress_is_ended(service: Service) -> None:
    service.go_round(Progress(beat=1))
    service.clock.advance(60)
    service.go_round(Progress(beat=2))
    service.clock.advance(60)
    service.go_round(Progress(beat=2))
    assert service.child.failures == []

    service.clock.advance(16)
    service.go_round(Progress(beat=2))

    assert service.child.failures == ["is stuck"]


def test_without_a_publisher_nobody_is_connected(service: Service) -> None:
    service.go_round(Progress(is_connected=True))
    service.child.pid = None

    service.go_round()

    assert not service.outlet._progress.is_connected
    assert service.outlet.publisher_pid is None


@pytest.mark.parametrize(("is_hurried", "within_s"), [(True, STOP_S - 0.5), (False, FINISH_S - 0.5)])
def test_it_ends_when_the_publisher_has_gone(service: Service, is_hurried: bool, within_s: float) -> None:
    service.go_round()
    thread = threading.Thread(target=service.outlet.run, daemon=True)
    thread.start()

    service.outlet.close(is_hurried=is_hurried)
    thread.join(20)

    assert Leave(within_s) in service.child.told
    assert service.child.was_ended
    assert not thread.is_alive()


def test_a_publisher_that_does_not_go_is_waited_for_no_longer_than_it_was_given(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "STOP_S", 0.2)

    service.outlet.close(is_hurried=True)
    service.outlet.run()

    assert service.child.was_ended


def test_a_disk_that_does_not_take_the_last_events_is_said(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    service.writer.stops_in_time = False
    service.child.has_gone = True
    service.outlet._round()

    service.outlet.close(is_hurried=True)

    assert "the last events" in caplog.text


def test_no_news_is_lost_between_waking_and_sleeping(service: Service) -> None:
    service.go_round()
    service.outlet.send(state("online"))

    assert isinstance(service.outlet._wake, Wake)
    assert service.outlet._wake.wait(0)


def test_the_publisher_is_greeted_with_all_it_has_to_know(tmp_path: Path) -> None:
    clock = HandClock()

    own = publishing.own_publisher(SETUP, clock)
    other = publishing.other_publisher(SETUP, clock, socket=tmp_path / "socket")

    assert [letters.read_by_publisher(frame) for frame in own._greet()] == [SETUP]
    assert [letters.read_by_publisher(frame) for frame in other._greet()] == [SETUP]


def test_a_publisher_that_fails_again_and_again_is_tried_again_within_two_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    clock = HandClock()
    own = publishing.own_publisher(SETUP, clock)
    for _ in range(8):
        own.tend()
        clock.advance(2.0)

    caplog.clear()
    own.tend()

    assert "could not be started" in caplog.text


def test_its_two_threads_show_that_they_work(service: Service) -> None:
    before = [stage.beat() for stage in service.outlet.stages()]

    service.go_round()

    assert [stage.name for stage in service.outlet.stages()] == ["publishing", "outbox"]
    assert service.outlet.stages()[0].beat() == before[0] + 1


def test_what_makes_no_sense_ends_the_publisher_and_not_the_service(service: Service) -> None:
    service.child.says = [b"\xc1"]

    service.outlet._round()

    assert len(service.child.failures) == 1
    assert "no sense" in service.child.failures[0]


def test_news_that_could_not_be_told_is_told_later(service: Service) -> None:
    service.go_round()
    service.child.room = 0
    service.outlet.committed()
    assert Committed() not in service.go_round()
    service.child.room = 1000

    assert Committed() in service.go_round()


def test_a_stop_during_the_last_delivery_is_heard(service: Service) -> None:
    service.go_round()
    closing = threading.Thread(target=lambda: service.outlet.close(is_hurried=False), daemon=True)
    closing.start()

    service.outlet.hurry()
    closing.join(20)

    assert not closing.is_alive()


def test_a_message_is_passed_on_by_the_thread_that_sends_it_where_the_publisher_takes_it(service: Service) -> None:
    service.go_round()
    service.child.told.clear()
    service.child.takes_at_once = True

    service.outlet.send(Message(TOPICS.detections("yard"), b"{}"))

    assert service.child.told == [Tell(Message(TOPICS.detections("yard"), b"{}"))]
    assert service.go_round() == []


def test_what_the_publisher_does_not_take_at_once_is_passed_on_in_order_later(service: Service) -> None:
    service.go_round()
    first, second = (Message(TOPICS.detections("yard"), text) for text in (b"1", b"2"))
    service.outlet.send(first)
    service.child.takes_at_once = True
    service.child.told.clear()

    service.outlet.send(second)

    assert service.child.told == [Tell(first), Tell(second)]


def test_another_publisher_takes_over_when_the_one_before_has_left_and_gets_all_state(service: Service) -> None:
    service.outlet.send(state("online"))
    service.go_round()
    first, second = service.child, FakeChild("publish", greet=lambda: [letters.encode(SETUP)])

    service.outlet.change(second, Delivery.CONFIRMED)  # type: ignore[arg-type]
    asked = service.go_round()
    service.child = second
    service.go_round()
    told = list(second.told)
    service.outlet.tick()

    assert [type(word) for word in asked] == [Leave]
    assert (first.was_ended, second.pid) == (True, 4711)
    assert told == [Tell(state("online"))]
    assert [word.message.payload for word in service.go_round()] == [b"confirmed"]


def test_a_publisher_that_does_not_leave_is_ended(service: Service) -> None:
    service.go_round()
    stubborn, second = service.child, FakeChild("publish", greet=lambda: [letters.encode(SETUP)])
    stubborn.dismiss = lambda: None  # type: ignore[method-assign]

    service.outlet.change(second, Delivery.ACKNOWLEDGED)  # type: ignore[arg-type]
    service.go_round()
    assert not stubborn.was_ended
    service.clock.advance(3.0)
    service.go_round()

    assert stubborn.was_ended


def test_the_same_publisher_goes_on_where_nothing_of_it_has_changed(service: Service) -> None:
    service.go_round()

    service.outlet.change(None, Delivery.CONFIRMED)
    service.outlet.tick()

    assert [word.message.payload for word in service.go_round()] == [b"confirmed"]


def test_a_publisher_that_can_not_even_be_asked_to_leave_gives_way_when_its_time_is_up(service: Service) -> None:
    service.go_round()
    deaf, second = service.child, FakeChild("publish", greet=lambda: [letters.encode(SETUP)])
    deaf.room = 0

    service.outlet.change(second, Delivery.ACKNOWLEDGED)  # type: ignore[arg-type]
    service.go_round()
    service.clock.advance(1.0)
    service.go_round()
    assert not deaf.was_ended
    service.clock.advance(3.0)
    service.go_round()

    assert deaf.was_ended


def test_at_the_end_of_all_no_other_publisher_comes_any_more(service: Service) -> None:
    service.go_round()
    first, second = service.child, FakeChild("publish", greet=lambda: [letters.encode(SETUP)])
    first.dismiss = lambda: None  # type: ignore[method-assign]

    service.outlet.change(second, Delivery.ACKNOWLEDGED)  # type: ignore[arg-type]
    service.outlet._leave = Leave(1.0)
    service.go_round()
    service.clock.advance(10.0)
    service.go_round()

    assert not first.was_ended
    assert second.pid is None


def test_a_message_does_not_wait_for_a_publisher_that_is_being_started(service: Service) -> None:
    service.go_round()
    service.child.takes_at_once = True
    service.child.told.clear()

    with service.outlet._talking:
        service.outlet.send(Message(TOPICS.detections("yard"), b"{}"))

    assert service.child.told == []
    assert [type(word) for word in service.go_round()] == [Tell]
