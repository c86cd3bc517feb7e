from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from edge.core.events import Event, EventType, LostEvents
from edge.report.parcels import mark_replayed, trim
from edge.report.payloads import event_message
from edge.report.topics import Topics
from edge.wire.packets import Version, packet_bytes
from tests.fakes_report import bare_event, make_event

GAP = replace(
    bare_event(),
    occurrence=replace(bare_event().occurrence, type=EventType.GAP),
    lost=LostEvents(
        "01JCX5QZJ4V9W8N7M6K5H4G3F2", tuple((at, at + 9) for at in range(1000, 1320, 20)), "oversize", 160, None
    ),
)
PAYLOAD = event_message(make_event(), Topics("gate")).payload


def test_an_event_is_marked_as_replayed_and_nothing_else_changes() -> None:
    marked = mark_replayed(PAYLOAD)

    assert json.loads(marked) == json.loads(PAYLOAD) | {"replayed": True}
    assert mark_replayed(marked) == marked


def test_a_payload_of_another_order_is_marked_as_well() -> None:
    assert json.loads(mark_replayed(b'{"replayed": false, "seq": 1}')) == {"replayed": True, "seq": 1}


def test_what_is_no_event_stays_as_it_is() -> None:
    assert mark_replayed(b"\xff") == b"\xff"
    assert trim(b"\xff", 10) is None


def test_trimming_leaves_out_no_more_than_it_must() -> None:
    trimmed = trim(PAYLOAD, len(PAYLOAD) - 1)

    assert trimmed is not None
    assert json.loads(trimmed)["rule"] == {"name": "person-in-drive", "severity": "alert", "why": []}
    assert json.loads(trimmed)["model"] is not None


def test_trimming_keeps_who_what_where_and_when() -> None:
    smallest = min(size for size in range(len(PAYLOAD)) if trim(PAYLOAD, size) is not None)
    trimmed = json.loads(trim(PAYLOAD, smallest) or b"")

    whole = json.loads(PAYLOAD)
    kept = ("device", "epoch", "seq", "type", "camera", "label", "box", "zones", "line")
    assert {key: trimmed[key] for key in kept} == {key: whole[key] for key in kept}
    assert trimmed["time"] == {"wall_ms": whole["time"]["wall_ms"], "synced": True}
    assert trimmed["rule"]["name"] == "person-in-drive"
    assert trim(PAYLOAD, smallest - 1) is None


@pytest.mark.parametrize("event", [make_event(), GAP], ids=["alert", "gap"])
def test_the_smallest_that_is_left_goes_through_a_broker_that_takes_512_bytes_and_is_as_agreed(event: Event) -> None:
    message = event_message(event, Topics("gate"))
    room = 512 - (packet_bytes(message, Version.V5) - len(message.payload))

    trimmed = trim(message.payload, room)

    assert trimmed is not None
    schema = json.loads((Path(__file__).parents[2] / "docs/schema/event.json").read_text())
    Draft202012Validator(schema).validate(json.loads(trimmed))


def test_what_is_not_as_ours_is_trimmed_as_far_as_it_goes() -> None:
    assert json.loads(trim(b'{"seq": 1, "rule": null, "model": "x", "time": 5}', 30) or b"") == {"seq": 1, "time": 5}
    assert trim(b'{"seq": 1, "rule": null, "time": 5}', 5) is None
