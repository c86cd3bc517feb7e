"""What waits, what goes first, and what is given up."""

from __future__ import annotations

from edge.core.values import Message
from edge.report.lanes import DETECTION_LIMIT, Lanes
from edge.report.topics import Topics
from tests.fakes_report import text_event

TOPICS = Topics("gate")
SECOND = 1_000_000_000


def _lanes(**options: int) -> Lanes:
    return Lanes(TOPICS.birth_rank, **options)


def _state(name: str, value: str, *, qos: int = 1) -> Message:
    return Message(f"edge/gate/{name}", value.encode(), qos=qos, retain=True)


def _boxes(text: str) -> Message:
    return Message(TOPICS.detections("yard"), text.encode(), expiry_s=2)


def _drain(lanes: Lanes, now_ns: int = 0) -> list[str]:
    found = []
    while (message := lanes.take(now_ns, is_window_open=True)) is not None:
        found.append(message.payload.decode())
    return found


def test_only_the_last_value_of_a_state_is_sent() -> None:
    lanes = _lanes()
    for value in ("1", "2", "3"):
        lanes.put(_state("health", value), 0)

    lanes.connect()

    assert _drain(lanes) == ["3"]


def test_state_is_sent_again_on_every_connect() -> None:
    lanes = _lanes()
    lanes.put(_state("info", "i"), 0)
    lanes.connect()
    first = _drain(lanes)
    lanes.disconnect([])

    lanes.connect()

    assert (first, _drain(lanes)) == (["i"], ["i"])


def test_a_full_queue_gives_up_the_oldest_events_and_counts_them() -> None:
    lanes = _lanes(event_limit=3)

    for number in range(5):
        lanes.put(text_event(TOPICS, str(number)), 0)

    assert _drain(lanes) == ["2", "3", "4"]
    assert lanes.drops.overflow == 2


def test_unacknowledged_events_come_first_again_and_in_order() -> None:
    lanes = _lanes()
    for text in ("c", "d"):
        lanes.put(text_event(TOPICS, text), 0)

    lanes.disconnect([text_event(TOPICS, "a"), text_event(TOPICS, "b")])

    assert _drain(lanes) == ["a", "b", "c", "d"]


def test_events_and_state_take_turns_once_the_birth_is_over() -> None:
    lanes = _lanes()
    lanes.connect()
    assert _drain(lanes) == []

    for number in range(3):
        lanes.put(text_event(TOPICS, f"event {number}"), 0)
    lanes.put(_state("health", "health"), 0)

    assert "health" in _drain(lanes)[:2]


def test_a_closed_window_holds_events_back_but_not_what_needs_no_acknowledgement() -> None:
    lanes = _lanes()
    lanes.connect()
    lanes.put(text_event(TOPICS, "event"), 0)
    lanes.put(_state("health", "health", qos=0), 0)
    lanes.put(_boxes("boxes"), 0)

    found = [lanes.take(0, is_window_open=False) for _ in range(3)]

    assert [message and message.payload for message in found] == [b"health", b"boxes", None]


def test_birth_waits_for_the_window_rather_than_break_its_order() -> None:
    lanes = _lanes()
    lanes.put(_state("health", "health", qos=0), 0)
    lanes.put(_state("info", "info"), 0)
    lanes.connect()

    assert lanes.take(0, is_window_open=False) is None
    assert _drain(lanes) == ["info", "health"]


def test_old_detections_are_not_sent() -> None:
    lanes = _lanes()
    lanes.connect()
    lanes.put(_boxes("old"), 0)
    lanes.put(_boxes("new"), SECOND)

    assert _drain(lanes, now_ns=2 * SECOND) == ["new"]
    assert lanes.drops.expired == 1


def test_newer_detections_push_out_older_ones() -> None:
    lanes = _lanes()
    lanes.connect()

    for number in range(DETECTION_LIMIT + 2):
        lanes.put(_boxes(str(number)), 0)

    assert _drain(lanes)[0] == "2"
    assert lanes.drops.expired == 2


def test_a_disconnect_drops_waiting_detections_and_counts_them() -> None:
    lanes = _lanes()
    lanes.connect()
    lanes.put(_boxes("x"), 0)

    lanes.disconnect([])

    assert lanes.drops.disconnected == 1
    assert lanes.is_empty


def test_the_first_boxes_wait_for_the_first_connection() -> None:
    lanes = _lanes()
    lanes.put(_state("info", "info"), 0)
    for number in range(3):
        lanes.put(_boxes(str(number)), 0)

    lanes.connect()

    assert _drain(lanes) == ["info", "0", "1", "2"]
    assert lanes.drops.disconnected == 0


def test_boxes_that_wait_are_still_to_be_delivered() -> None:
    lanes = _lanes()
    lanes.connect()
    lanes.put(_boxes("last"), 0)

    assert not lanes.is_empty
    assert _drain(lanes) == ["last"]
    assert lanes.is_empty
