"""The courier between a real outbox and what a broker answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import edge.report.receipts as receipts_module
from edge.core.clock import HandClock
from edge.core.events import EventId, EventTime
from edge.core.values import Message
from edge.report.courier import Courier
from edge.report.listening import Heard
from edge.report.outbox import Keeper, OutboxReader, Outgoing, Policy, Position
from edge.report.outbox.spans import Span
from edge.report.outbox.trouble import OutboxError
from edge.report.outbox.values import Entry, Loss, LossKind
from edge.report.parcels import Parcel
from edge.report.payloads import event_message
from edge.report.receipts import MOST_ASKED_A_SECOND, Receipts
from edge.report.topics import Topics
from edge.wire.packets import Limits, Version
from edge.wire.reasons import NO_SUBSCRIBER, NOT_AUTHORIZED, PACKET_TOO_LARGE, QUOTA_EXCEEDED, SUCCESS
from tests.fakes_report import make_event

TOPICS = Topics("gate")
WHOLE = Limits()
EARLIER = Position("before", 1)


class Post:
    """An outbox with its writer, its reader and the courier, on a clock moved by hand."""

    def __init__(self, folder: Path, *, has_consumer: bool = True, drain_per_s: float = 1000) -> None:
        self.clock = HandClock(monotonic_ns=10**12)
        policy = Policy(has_consumer=has_consumer)
        self.keeper = Keeper(folder / "o.db", volatile_path=None, policy=policy, clock=self.clock)
        self.keeper.open()
        self.reader = OutboxReader(folder / "o.db", policy=policy, clock=self.clock)
        self.courier = Courier(self.reader, has_consumer=has_consumer, clock=self.clock, drain_per_s=drain_per_s)
        self.seq = 0

    def commit(self, count: int = 1, *, epoch: str = "E") -> None:
        assert self.keeper.commit([Entry(self.record(epoch=epoch)) for _ in range(count)])
        self.courier.hint()

    def record(self, *, epoch: str = "E") -> Outgoing:
        """The next event."""
        wall_ms = round(self.clock.utc_now().timestamp() * 1000)
        self.seq += 1
        event = make_event(seq=self.seq)
        object.__setattr__(event, "id", EventId("gate", epoch, self.seq))
        object.__setattr__(event, "time", EventTime(wall_ms, 0, "b", True))
        message = event_message(event, TOPICS)
        return Outgoing(epoch, self.seq, message.topic, message.payload, message.severity, "yard", "person", wall_ms)

    def connect(self, limits: Limits = WHOLE, *, is_greeted: bool = True) -> None:
        """To a broker that has the consumer's cursor, or has forgotten it."""
        self.courier.connected(limits, Version.V5)
        if is_greeted:
            self.courier.confirm(EARLIER)

    def take(self) -> list[Parcel]:
        """All that may go now."""
        self.courier.look()
        taken = []
        while (parcel := self.courier.take()) is not None:
            taken.append(parcel)
        return taken

    def settle(self, parcels: list[Parcel], code: int = SUCCESS) -> None:
        for parcel in parcels:
            self.courier.settle(parcel, code)
        self.courier.look()

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    post = Post(tmp_path)
    post.connect()
    yield post
    post.reader.close()
    post.keeper.close()


def numbers(parcels: list[Parcel]) -> list[int]:
    return [parcel.position.seq for parcel in parcels]


def flags(parcels: list[Parcel]) -> list[bool]:
    return [json.loads(parcel.payload)["replayed"] for parcel in parcels]


def test_a_fresh_event_goes_as_it_was_written(post: Post) -> None:
    post.courier.look()
    post.wait(0.001)
    post.commit(2)

    sent = post.take()

    assert numbers(sent) == [1, 2]
    assert flags(sent) == [False, False]
    assert post.take() == []


def test_a_fresh_event_goes_before_the_backlog_which_is_marked(post: Post) -> None:
    post.courier.look()
    post.wait(0.001)
    post.commit(2)
    post.wait(11)
    post.commit(1)

    sent = post.take()

    assert numbers(sent) == [3, 1, 2]
    assert flags(sent) == [False, True, True]


def test_an_event_that_waited_for_the_disk_and_then_for_the_broker_is_marked_by_both(post: Post) -> None:
    """As when a card hangs: late is what was made 10 s ago, whenever it was committed."""
    post.courier.look()
    waited_for_the_disk = post.record()
    post.wait(3)
    assert post.keeper.commit([Entry(waited_for_the_disk), Entry(post.record())])
    post.courier.hint()
    post.wait(8)

    sent = post.take()

    assert sorted(zip(numbers(sent), flags(sent), strict=True)) == [(1, True), (2, False)]


def test_the_backlog_is_paced_and_fresh_events_are_not(tmp_path: Path) -> None:
    post = Post(tmp_path, drain_per_s=10)
    post.connect()
    post.commit(40)
    post.wait(11)
    post.commit(3)

    first = post.take()
    post.settle(first)
    post.wait(1)

    assert numbers(first)[:3] == [41, 42, 43]
    assert len(first) == 3 + 20
    assert len(post.take()) == 10


def test_what_was_under_way_is_sent_again_and_marked(post: Post) -> None:
    post.courier.look()
    post.wait(0.001)
    post.commit(2)
    under_way = post.take()

    post.courier.disconnected(under_way)
    post.connect()
    post.commit(1)
    again = post.take()

    assert numbers(again) == [1, 2, 3]
    assert flags(again) == [True, True, False]


def test_after_a_broker_that_has_forgotten_the_consumer_events_wait_until_it_is_back(post: Post) -> None:
    post.commit(2)
    post.wait(11)
    post.courier.disconnected([])
    post.connect(is_greeted=False)
    post.commit(1)
    assert post.take() == []

    post.courier.confirm(EARLIER)

    assert numbers(post.take()) == [3, 1, 2]


def test_a_fresh_event_waits_a_second_for_a_consumer_that_stays_away_and_the_backlog_a_little_longer(
    post: Post,
) -> None:
    post.commit(2)
    post.wait(11)
    post.courier.disconnected([])
    post.connect(is_greeted=False)
    post.commit(1)

    post.wait(1)
    soon = post.take()
    post.wait(14)

    assert numbers(soon) == [3]
    assert numbers(post.take()) == [1, 2]


def test_a_backlog_runs_only_so_far_ahead_of_the_consumer(post: Post) -> None:
    post.commit(700)
    post.wait(11)
    sent: list[Parcel] = []
    while taken := post.take():
        sent += taken
        post.settle(taken)
        post.wait(0.001)
    assert len(sent) == 200
    post.commit(1)
    assert numbers(post.take()) == [701]  # a fresh event waits for nobody

    post.courier.confirm(Position("E", 100))
    post.wait(0.2)

    assert numbers(post.take())[0] == 201


def test_a_cursor_that_stands_still_slows_a_backlog_and_does_not_end_it(post: Post) -> None:
    post.commit(700)
    post.wait(11)
    sent: list[Parcel] = []
    for _ in range(200):
        taken = post.take()
        sent += taken
        post.settle(taken)
        post.wait(0.1)

    assert max(numbers(sent)) == 700


def test_without_a_consumer_that_confirms_nothing_waits_for_it(tmp_path: Path) -> None:
    post = Post(tmp_path, has_consumer=False)
    post.connect(is_greeted=False)
    post.commit(1)

    assert numbers(post.take()) == [1]


def test_what_is_asked_for_while_it_is_sent_again_anyway_comes_once(post: Post) -> None:
    post.commit(3)
    post.settle(post.take())
    post.wait(5.1)
    post.courier.look()

    post.courier.replay("E", 1, 3)

    assert sorted(numbers(post.take())) == [1, 2, 3]


def test_an_acknowledged_event_is_not_sent_again_by_the_next_connection(post: Post) -> None:
    post.commit(1)
    post.settle(post.take())

    post.courier.disconnected([])
    post.connect()

    assert post.take() == []


def test_without_a_confirmation_it_is_sent_again_after_a_while_and_marked(post: Post) -> None:
    post.courier.look()
    post.wait(0.001)
    post.commit(1)
    post.settle(post.take())

    post.wait(5.1)
    again = post.take()

    assert numbers(again) == [1]
    assert flags(again) == [True]


def test_a_confirmed_event_is_never_sent_again(post: Post) -> None:
    post.commit(3)
    post.settle(post.take())

    post.courier.confirm(Position("E", 3))
    post.wait(600)

    assert post.take() == []


def test_a_cursor_of_a_newer_epoch_does_not_hide_an_older_one_that_is_stuck(post: Post) -> None:
    post.commit(3, epoch="A")
    post.settle(post.take())
    post.courier.confirm(Position("A", 1))
    for _ in range(8):
        post.wait(1.5)
        post.commit(1, epoch="B")
        sent = post.take()
        post.settle(sent)
        post.courier.confirm(Position("B", post.seq))
        if any(parcel.position == Position("A", 2) for parcel in sent):
            return

    raise AssertionError("the events of the older epoch were not sent again")


def test_unheard_events_are_kept_said_and_sent_when_somebody_listens(tmp_path: Path) -> None:
    post = Post(tmp_path, has_consumer=False)
    post.connect()
    post.commit(2)
    post.settle(post.take(), NO_SUBSCRIBER)
    assert post.courier.stats().unheard == 2
    assert post.take() == []

    post.wait(11)
    post.commit(1)
    post.settle(post.take())

    assert numbers(post.take()) == [1, 2]
    assert post.courier.stats().unheard == 0


def test_a_denied_event_is_kept_said_and_tried_again_while_others_go(post: Post) -> None:
    post.commit(1)
    post.settle(post.take(), NOT_AUTHORIZED)
    post.commit(1)

    assert post.courier.stats().denied == 1
    assert numbers(post.take()) == [2]
    post.wait(61)
    assert numbers(post.take()) == [1]


def test_a_used_up_quota_costs_nothing_but_time(post: Post) -> None:
    post.commit(1)
    post.settle(post.take(), QUOTA_EXCEEDED)

    assert numbers(post.take()) == [1]


def test_an_event_larger_than_the_broker_takes_is_trimmed(post: Post) -> None:
    post.connect(Limits(packet_bytes=700))
    post.commit(1)

    (sent,) = post.take()

    assert sent.is_trimmed
    assert json.loads(sent.payload)["rule"]["why"] == []
    assert post.courier.stats().trimmed == 1


def test_one_that_can_not_be_trimmed_enough_is_given_up_told_and_holds_nobody_up(post: Post) -> None:
    post.connect(Limits(packet_bytes=100))
    post.commit(1)

    assert post.take() == []
    post.courier.look()
    (loss,) = post.keeper.tend()

    assert (loss.cause, loss.spans) == ("oversize", ((1, 1),))
    assert post.courier.stats().dead == 1
    assert post.courier.is_idle


def test_a_broker_that_does_not_say_its_limit_gets_a_smaller_event_the_second_time(post: Post) -> None:
    post.commit(1)
    first = post.take()

    post.settle(first, PACKET_TOO_LARGE)
    (second,) = post.take()
    post.settle([second], PACKET_TOO_LARGE)

    assert len(second.payload) < len(first[0].payload)
    assert post.courier.stats().dead == 1


def asked(post: Post, payload: bytes, *, retained: bool = False) -> list[dict[str, object]]:
    answers: list[Message] = []
    receipts = Receipts(post.courier, TOPICS, consumer="archive", answer=answers.append, clock=post.clock)
    request, _ = receipts.subscriptions()
    request.hear(Heard("edge/gate/command/replay", payload, retained))
    return [json.loads(answer.payload) for answer in answers]


def test_a_replay_says_what_comes_and_what_does_not(post: Post) -> None:
    post.commit(3)
    post.settle(post.take())

    answer = asked(post, b'{"transaction": "t", "epoch": "E", "from": 2, "to": 5}')

    assert answer == [{"transaction": "t", "status": "ok", "held": [[2, 3]], "missing": [[4, 5]]}]
    assert numbers(post.take()) == [2, 3]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 4000,
        b'{"transaction": "t", "epoch": "E", "from": 5, "to": 2}',
        b'{"transaction": 7}',
        b'{"transaction": "t", "epoch": "E", "from": 0, "to": 2}',
        b'{"transaction": "t", "epoch": "../E", "from": 1, "to": 2}',
        b'{"transaction": "t u", "epoch": "E", "from": 1, "to": 2}',
        b'{"transaction": "t", "epoch": "E", "from": 1, "to": 2, "path": "/etc"}',
    ],
)
def test_nonsense_is_answered_with_an_error(post: Post, payload: bytes) -> None:
    (answer,) = asked(post, payload)

    assert answer["status"] == "error"
    assert answer["reason"]


def test_a_request_that_comes_twice_at_once_is_carried_out_once(post: Post) -> None:
    """As from a broker with two subscriptions that both take it."""
    post.commit(2)
    post.settle(post.take())
    answers: list[Message] = []
    receipts = Receipts(post.courier, TOPICS, consumer=None, answer=answers.append, clock=post.clock)
    request = Heard("edge/gate/command/replay", b'{"transaction": "t", "epoch": "E", "from": 1, "to": 2}', False)
    for _ in range(2):
        receipts.subscriptions()[0].hear(request)

    assert (len(answers), numbers(post.take())) == (1, [1, 2])

    post.wait(2)
    receipts.subscriptions()[0].hear(request)  # a person, again

    assert len(answers) == 2


def test_a_flood_of_requests_is_answered_in_part_and_told_so_once(post: Post) -> None:
    answers: list[Message] = []
    receipts = Receipts(post.courier, TOPICS, consumer=None, answer=answers.append, clock=post.clock)

    def ask(number: int) -> None:
        payload = f'{{"transaction": "t{number}", "epoch": "E", "from": 1, "to": 2}}'
        receipts.subscriptions()[0].hear(Heard("edge/gate/command/replay", payload.encode(), False))

    for number in range(300):
        ask(number)

    told = [json.loads(answer.payload) for answer in answers]
    assert [each["status"] for each in told] == ["ok"] * MOST_ASKED_A_SECOND + ["error"]
    assert "too many" in told[-1]["reason"]

    post.wait(2)
    ask(300)

    assert json.loads(answers[-1].payload)["status"] == "ok"


def test_a_retained_or_oversized_request_is_not_even_answered(post: Post) -> None:
    request = b'{"transaction": "t", "epoch": "E", "from": 1, "to": 2}'

    assert asked(post, request, retained=True) == []
    assert asked(post, request.ljust(5000)) == []


@pytest.mark.parametrize("payload", [b"", b"\xff", b"{}", b'{"epoch": "E", "seq": -1}', b'{"epoch": "E", "seq": 1e99}'])
def test_a_cursor_that_is_none_confirms_nothing(post: Post, payload: bytes) -> None:
    post.commit(1)
    post.settle(post.take())
    receipts = Receipts(post.courier, TOPICS, consumer="archive", answer=lambda _message: None, clock=post.clock)

    receipts.subscriptions()[1].hear(Heard("edge/gate/cursor/archive", payload, True))

    assert [event.position.seq for event in post.reader.unconfirmed(5)] == [1]


def test_when_nearly_everything_is_refused_all_waits(post: Post) -> None:
    post.commit(200)
    sent = []
    while taken := post.take():
        sent += taken
        post.settle(taken, 131)
        post.wait(0.1)
    post.commit(1)

    assert len(sent) == 200
    assert post.take() == []
    assert post.courier.is_idle
    post.wait(61)
    assert post.take() != []


def test_how_soon_to_look_again_depends_on_what_waits(tmp_path: Path) -> None:
    post = Post(tmp_path, drain_per_s=10)
    post.connect()
    post.commit(40)
    assert post.courier.patience_s() == 0.0
    post.wait(11)
    taken = post.take()
    assert post.courier.patience_s() == 0.02
    post.settle(taken)
    assert not post.courier.is_idle

    while not post.courier.is_idle:
        post.wait(1)
        post.settle(post.take())

    assert post.courier.patience_s() is None


def test_an_event_that_tells_of_a_loss_is_never_given_up_however_small_the_broker(post: Post) -> None:
    loss = Loss(LossKind.GAP, "space", "E", (Span(1, 3),))
    post.keeper.commit([], [loss])
    (due,) = post.keeper.tend()
    post.seq = 3
    record = post.record()
    assert post.keeper.commit([Entry(record, settles=due)])
    post.courier.disconnected([])
    post.connect(Limits(packet_bytes=100))
    post.courier.hint()

    assert post.take() == []
    assert post.courier.stats().refused == 1
    assert post.courier.stats().dead == 0
    post.connect()
    assert numbers(post.take()) == [4]


def test_a_broker_that_says_too_large_twice_gets_it_no_more(post: Post) -> None:
    post.commit(1)
    post.settle(post.take(), PACKET_TOO_LARGE)
    post.settle(post.take(), PACKET_TOO_LARGE)

    assert post.take() == []
    assert post.courier.stats().dead == 1


def test_an_answer_with_too_many_holes_asks_for_a_smaller_range(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts_module, "MOST_SPANS", 0)
    post.commit(1)

    (answer,) = asked(post, b'{"transaction": "t", "epoch": "E", "from": 1, "to": 2}')

    assert answer["status"] == "error"
    assert "smaller" in answer["reason"]


def test_an_oversized_cursor_is_not_read(post: Post) -> None:
    post.commit(1)
    post.settle(post.take())
    receipts = Receipts(post.courier, TOPICS, consumer="archive", answer=lambda _message: None, clock=post.clock)

    receipts.subscriptions()[1].hear(Heard("edge/gate/cursor/archive", b'{"epoch": "E", "seq": 1}'.ljust(5000), True))

    assert len(post.reader.unconfirmed(5)) == 1


def test_a_cursor_confirms(post: Post) -> None:
    post.commit(1)
    post.settle(post.take())
    receipts = Receipts(post.courier, TOPICS, consumer="archive", answer=lambda _message: None, clock=post.clock)

    receipts.subscriptions()[1].hear(Heard("edge/gate/cursor/archive", b'{"epoch": "E", "seq": 1}', True))

    assert post.reader.unconfirmed(5) == []


def test_without_a_consumer_no_cursor_is_listened_to(post: Post) -> None:
    receipts = Receipts(post.courier, TOPICS, consumer=None, answer=lambda _message: None, clock=post.clock)

    assert [each.filter for each in receipts.subscriptions()] == ["edge/gate/command/replay"]


def fail_once(monkeypatch: pytest.MonkeyPatch, shelf: Any, method: str) -> None:
    """The next call of the file fails, as while a slow disk keeps it locked."""
    works = getattr(shelf, method)
    calls: list[int] = []

    def fail(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise OutboxError("the outbox is busy")
        return works(*arguments, **named)

    monkeypatch.setattr(shelf, method, fail)


def test_what_cannot_be_read_now_is_not_called_missing(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.commit(3)
    request = b'{"transaction": "t", "epoch": "E", "from": 1, "to": 3}'
    fail_once(monkeypatch, post.reader._shelves[0], "change")

    (refused,) = asked(post, request)
    (answer,) = asked(post, request)

    assert (refused["status"], "ask again" in str(refused["reason"])) == ("error", True)
    assert (answer["status"], answer["held"], answer["missing"]) == ("ok", [[1, 3]], [])


def test_after_a_read_that_failed_the_event_goes_though_nothing_new_is_committed(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_once(monkeypatch, post.reader._shelves[0], "pending")
    post.commit(1)

    assert post.take() == []
    post.wait(1.1)

    assert numbers(post.take()) == [1]
