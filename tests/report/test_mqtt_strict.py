"""The sink against a broker that obeys the letter of MQTT 5 and behaves badly: not one breach, no dead thread."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from edge.core.values import Message
from edge.report.topics import Topics
from edge.wire.settings import Pace
from tests.fakes_report import Diary, Running, text_event
from tests.strict_broker import Manners, StrictBroker, garbage

Run = Callable[..., Running]
Make = Callable[[Manners], StrictBroker]

TOPICS = Topics("gate")
HASTY = Pace(backoff_first_s=0.01, backoff_longest_s=0.02, refused_s=0.05, connect_s=2.0, acknowledge_s=0.5)
EVENTS = [f"event {number:03}" for number in range(60)]


@pytest.fixture
def strict() -> Iterator[Make]:
    made: list[StrictBroker] = []

    def make(manners: Manners) -> StrictBroker:
        made.append(StrictBroker(manners))
        return made[-1]

    yield make
    for broker in made:
        broker.close()
        assert broker.book.breaches == []


def _send(running: Running, texts: list[str] = EVENTS) -> None:
    for text in texts:
        running.sink.send(text_event(TOPICS, text))


def _all_accepted(broker: StrictBroker, texts: list[str] = EVENTS) -> None:
    broker.wait_until(lambda book: all(book.accepted[text.encode()] for text in texts))


def test_with_a_receive_maximum_of_one_all_arrive_one_by_one(strict: Make, run: Run) -> None:
    broker = strict(Manners(receive_maximum=1))
    running = run(broker.port, pace=HASTY)

    _send(running)

    _all_accepted(broker)
    assert broker.book.most_under_way == 1
    assert [text for text in broker.book.accepted if text.startswith(b"event")] == [text.encode() for text in EVENTS]


def test_a_maximum_packet_of_512_is_kept_and_blocks_nobody(strict: Make, run: Run) -> None:
    broker = strict(Manners(maximum_packet=512))
    running = run(broker.port, pace=HASTY)

    _send(running, ["small one", "x" * 600, "small two"])

    _all_accepted(broker, ["small one", "small two"])
    assert broker.book.largest_packet <= 512
    assert running.sink.stats().drops.oversize == 1
    assert len(broker.book.connects) == 1


def test_a_maximum_that_is_not_said_is_learnt_from_the_first_disconnect(strict: Make, run: Run) -> None:
    broker = strict(Manners(unsaid_maximum=700))
    running = run(broker.port, pace=HASTY)

    _send(running, ["small one", "x" * 900, "small two"])
    running.sink.send(Message(TOPICS.camera_status("yard"), b"y" * 800, qos=1, retain=True))
    running.sink.send(Message(TOPICS.detections("yard"), b"z" * 750))
    _send(running, ["small three"])

    _all_accepted(broker, ["small one", "small two", "small three"])
    running.sink.send(Message(TOPICS.camera_status("yard"), b"online", qos=1, retain=True))
    broker.wait_until(lambda book: bool(book.accepted[b"online"]))
    assert len(broker.book.connects) <= 8  # not one for each byte, and not for ever
    assert running.sink.stats().is_connected


def test_a_broker_that_always_complains_of_the_size_does_not_make_everything_too_large(strict: Make, run: Run) -> None:
    broker = strict(Manners(hang_up_every=3, farewell=149))
    running = run(broker.port, pace=HASTY)
    _send(running)

    _all_accepted(broker)


def test_a_broker_that_falls_mute_is_left_and_gets_everything_when_it_speaks_again(strict: Make, run: Run) -> None:
    broker = strict(Manners(is_mute=True))
    running = run(broker.port, pace=HASTY)
    _send(running)
    broker.wait_until(lambda book: len(book.connects) >= 3)

    broker.manners = Manners()

    _all_accepted(broker)
    assert running.thread.is_alive()


def test_late_acknowledgements_stop_neither_the_window_nor_the_order(strict: Make, run: Run) -> None:
    broker = strict(Manners(acks_by_hand=True))
    running = run(broker.port, pace=Pace(acknowledge_s=30.0))
    broker.wait_until(lambda book: len(book.published) == 1)  # online
    broker.release(1)
    _send(running)

    broker.wait_until(lambda book: len(book.published) == 1 + 20)
    broker.release(5)
    broker.wait_until(lambda book: len(book.published) == 1 + 25)
    broker.release(10_000)

    _all_accepted(broker)
    assert broker.book.most_under_way == 20
    assert [publish.payload.decode() for publish in broker.book.published[1:]] == EVENTS


@pytest.mark.parametrize("farewell", [None, 139, 142, 151])
def test_hung_up_on_after_every_few_packets_it_brings_everything(strict: Make, run: Run, farewell: int | None) -> None:
    broker = strict(Manners(hang_up_every=7, farewell=farewell))
    running = run(broker.port, pace=HASTY)

    _send(running)

    _all_accepted(broker)
    assert len(broker.book.connects) > len(EVENTS) // 7


@pytest.mark.parametrize("code", [134, 135])
def test_refused_credentials_are_tried_again_only_after_the_long_pause(strict: Make, run: Run, code: int) -> None:
    broker = strict(Manners(connack=code))
    running = run(broker.port, pace=Pace(backoff_first_s=0.001, backoff_longest_s=0.002, refused_s=0.3))
    _send(running)
    broker.wait_until(lambda book: len(book.connects) >= 3)

    broker.manners = Manners()

    _all_accepted(broker)
    times = [at for at, _ in broker.book.connects]
    assert min(after - before for before, after in pairwise(times)) >= 0.3


def test_another_device_of_the_same_name_is_not_fought_with(strict: Make, run: Run) -> None:
    broker = strict(Manners(hang_up_every=1, farewell=142))

    run(broker.port, pace=Pace(backoff_first_s=0.001, backoff_longest_s=0.002, refused_s=0.3))

    broker.wait_until(lambda book: len(book.connects) >= 3)
    times = [at for at, _ in broker.book.connects]
    assert min(after - before for before, after in pairwise(times)) >= 0.3


def test_an_exhausted_quota_slows_but_loses_nothing(strict: Make, run: Run) -> None:
    refused: set[bytes] = set()

    def once(publish: object) -> int:
        payload = getattr(publish, "payload", b"")
        if payload == b"event 001" and payload not in refused:
            refused.add(payload)
            return 151
        return 0

    broker = strict(Manners(ack_code=once))
    running = run(broker.port, pace=HASTY)

    _send(running, EVENTS[:4])

    _all_accepted(broker, EVENTS[:4])
    assert refused == {b"event 001"}


def test_nobody_listening_is_no_reason_to_send_again(strict: Make, run: Run) -> None:
    broker = strict(Manners(ack_code=lambda _publish: 16))
    running = run(broker.port, pace=HASTY)

    _send(running)

    _all_accepted(broker)
    assert set(broker.book.accepted.values()) == {1}


def test_garbage_after_every_packet_kills_neither_the_thread_nor_the_publishing(strict: Make, run: Run) -> None:
    chance = random.Random(7)
    broker = strict(Manners(noise=lambda: garbage(chance)))
    running = run(broker.port, pace=HASTY)
    _send(running)
    broker.wait_until(lambda book: len(book.connects) >= 20)

    broker.manners = Manners()

    _all_accepted(broker)
    assert running.thread.is_alive()


def test_detections_and_state_keep_the_letter_too(strict: Make, run: Run, diary: Diary) -> None:
    broker = strict(Manners(receive_maximum=2))
    running = run(broker.port, pace=HASTY)
    diary.wait_for("connected to the broker")

    running.sink.send(Message(TOPICS.detections("yard"), b"boxes", expiry_s=2))
    running.sink.send(Message(TOPICS.camera_status("yard"), b"online", qos=1, retain=True))
    running.stop()

    broker.wait_until(lambda book: book.accepted[b"offline"] == 1)
    assert b"boxes" in [publish.payload for publish in broker.book.published]
