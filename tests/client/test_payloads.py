from __future__ import annotations

import pytest

from edge.client import payloads
from edge.client.addresses import Addresses, device_of, kind_of
from edge.client.payloads import PayloadError, can_replay, read_answer, read_event
from edge.core.errors import ConfigError
from edge.report.topics import Topics
from tests.fakes_client import event_json

TOPIC = "edge/gate/camera/yard/event"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "no event"),
        (b"{", "no event"),
        (b"\xff\xfe", "no event"),
        (b"[" * 100_000, "no event"),
        (event_json(1).replace(b'"schema": 1', b'"schema": 2'), "schema 2"),
        (event_json(0), "no event"),
        (event_json(2**60), "no event"),
        (event_json(1, epoch=""), "no event"),
        (event_json(1, epoch="x" * 65), "no event"),
        (event_json(1, device="yard"), "claims to come from"),
        (event_json(1, camera="../x"), "claims to come from"),
        (event_json(1, padding="x" * payloads.PAYLOAD_LIMIT), "more than an event has"),
        (event_json(1, lost={"epoch": "E1", "ranges": [[-1, 2]]}), "no event"),
    ],
)
def test_what_is_no_event_is_refused_in_words(payload: bytes, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        read_event(TOPIC, payload)


def test_an_event_keeps_the_bytes_of_its_device() -> None:
    payload = event_json(7, replayed=True, something="new")

    event = read_event(TOPIC, payload)

    assert (event.device, event.epoch, event.seq, event.camera) == ("gate", "E1", 7, "yard")
    assert event.payload == payload
    assert event.replayed


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(PayloadError, match="no answer"):
        read_answer(b"null")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [(b'{"delivery": "memory"}', False), (b'{"delivery": "confirmed"}', True), (b"{}", True), (b"nonsense", True)],
)
def test_only_a_device_that_says_so_keeps_nothing(payload: bytes, expected: bool) -> None:
    assert can_replay(payload) is expected


def test_consumer_and_device_mean_the_same_topics() -> None:
    consumer, device = Addresses("gate", "archive"), Topics("gate")

    assert consumer.cursor("gate") == device.cursor("archive")
    assert consumer.ask_replay("gate") == device.command("replay")
    assert device.response("replay") in consumer.filters()
    assert device.info() in consumer.filters()
    assert device.event("yard").replace("yard", "+") in consumer.filters()
    assert kind_of(device.event("yard")) == "event"
    assert kind_of(device.info()) == "info"
    assert kind_of(device.response("replay")) == "response"
    assert kind_of(device.health()) is None
    assert device_of(device.event("yard")) == "gate"


def test_a_name_that_may_not_stand_in_a_topic_is_refused() -> None:
    for device, consumer in (("a/b", "c"), ("+", "c"), ("a", "#"), ("a", "A")):
        with pytest.raises(ConfigError, match="expected 1 to 64"):
            Addresses(device, consumer)
