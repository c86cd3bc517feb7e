"""What Home Assistant is told of a device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edge.core.values import EventType
from edge.report.discovery import FULL_WORDS_LIMIT, Discovery, Shown
from edge.report.entities import ShownCamera, ShownDevice
from edge.report.topics import Topics

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMA = Draft202012Validator(json.loads((DOCS / "schema" / "discovery.json").read_text()))
TOPICS = Topics("gate")
YARD = ShownCamera("yard", ("person", "traffic light"), ("drive",), ("gate-line",), has_snapshots=True)


def told(*cameras: ShownCamera, commands: bool = True, removed: dict[str, Shown] | None = None) -> dict[str, Any]:
    device = ShownDevice("0.1.0", "edge-default", cameras or (YARD,), takes_commands=commands)
    payload: dict[str, Any] = json.loads(Discovery(device, TOPICS).message(removed).payload)
    return payload


def test_the_message_is_retained_and_keeps_its_schema() -> None:
    message = Discovery(ShownDevice("0.1.0", "m", (YARD,), takes_commands=True), TOPICS, "home").message()

    assert (message.topic, message.qos, message.retain) == ("home/device/gate/config", 1, True)
    SCHEMA.validate(json.loads(message.payload))


def test_every_kind_of_entity_is_there() -> None:
    found = told()["components"]

    assert {key: each["platform"] for key, each in found.items() if "traffic_light" not in key} == {
        "problem": "binary_sensor",
        "temperature": "sensor",
        "inference": "sensor",
        "dropped": "sensor",
        "self-test": "button",
        "yard_connectivity": "binary_sensor",
        "yard_fps": "sensor",
        "yard_alerts": "event",
        "yard_person_occupancy": "binary_sensor",
        "yard_person_count": "sensor",
        "yard_person_snapshot": "image",
        "yard_person_threshold": "number",
        "yard_zone_drive_person_occupancy": "binary_sensor",
        "yard_zone_drive_person_count": "sensor",
        "yard_line_gate-line_in": "sensor",
        "yard_line_gate-line_out": "sensor",
        "yard_enabled": "switch",
    }


def test_without_commands_there_is_nothing_to_press() -> None:
    platforms = {each["platform"] for each in told(commands=False)["components"].values()}

    assert platforms == {"binary_sensor", "sensor", "event", "image"}


def test_without_snapshots_there_is_no_picture() -> None:
    platforms = {each["platform"] for each in told(ShownCamera("yard", ("person",)))["components"].values()}

    assert "image" not in platforms


def test_every_entity_has_an_id_of_its_own_and_a_wish_for_its_name() -> None:
    found = told()["components"]

    assert len({each["unique_id"] for each in found.values()}) == len(found)
    assert all("object_id" not in each for each in found.values())
    assert found["yard_line_gate-line_in"]["default_entity_id"] == "sensor.gate_yard_line_gate_line_in"


def test_what_is_seen_is_available_only_while_device_and_camera_are() -> None:
    found = told()["components"]

    for key in ("yard_person_occupancy", "yard_zone_drive_person_count", "yard_line_gate-line_in", "yard_fps"):
        assert [each["topic"] for each in found[key]["availability"]] == [
            "edge/gate/status",
            TOPICS.camera_status("yard"),
        ]
        assert found[key]["availability_mode"] == "all"
    for key in ("yard_connectivity", "yard_enabled", "yard_person_threshold", "yard_alerts"):
        assert "availability" not in found[key], "the device's own, from the root of the message"


def test_crossings_are_totals_and_counts_are_not() -> None:
    found = told()["components"]

    assert found["yard_line_gate-line_out"]["state_class"] == "total_increasing"
    assert found["yard_person_count"]["state_class"] == "measurement"


def test_alerts_name_every_type_that_a_rule_can_say() -> None:
    types = told()["components"]["yard_alerts"]["event_types"]

    assert set(types) == {
        kind.value
        for kind in EventType
        if not kind.value.startswith(("camera_", "accelerator_", "model_"))
        and kind.value not in ("gap", "track_update")
    }


def test_a_removed_entity_is_named_with_its_platform_alone() -> None:
    payload = told(removed={"shed_person_count": Shown("sensor")})

    assert payload["components"]["shed_person_count"] == {"platform": "sensor"}
    SCHEMA.validate(payload)


def test_labels_that_would_be_written_alike_have_entities_and_topics_of_their_own() -> None:
    labels = ("traffic light", "traffic_light")
    device = ShownDevice("0.1.0", "m", (ShownCamera("yard", labels),))

    shown = json.loads(Discovery(device, Topics("gate", labels)).message().payload)["components"]

    counts = [each for key, each in shown.items() if key.endswith("_count")]
    assert len({each["state_topic"] for each in counts}) == 2
    assert len({each["unique_id"] for each in counts}) == 2


def test_names_that_run_together_stay_apart() -> None:
    cameras = (ShownCamera("a", ("b_c",)), ShownCamera("a_b", ("c",)))

    found = told(*cameras, commands=False)["components"]

    counts = [each for key, each in found.items() if "_count" in key]
    assert len({each["unique_id"] for each in counts}) == 2
    assert len({each["state_topic"] for each in counts}) == 2


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.strip()))
def test_no_label_can_become_a_template(label: str) -> None:
    numbers = [
        each for each in told(ShownCamera("yard", (label,)))["components"].values() if each["platform"] == "number"
    ]

    template = numbers[0]["command_template"]
    assert template.count("{{") == template.count("}}") == 1
    assert "{%" not in template
    assert json.loads(template.replace("{{ value }}", "0.5")) == {
        "transaction": "home-assistant",
        "camera": "yard",
        "label": label,
        "threshold": 0.5,
    }


def test_a_large_message_is_written_short_and_a_small_one_in_full() -> None:
    many = ShownCamera("yard", tuple(f"label {number}" for number in range(30)))

    payload = told(many)

    assert "state_topic" not in json.dumps(payload["components"])
    assert payload["components"]["yard_label_3_count"]["stat_t"] == "edge/gate/camera/yard/count/label_3"
    assert payload["components"]["yard_label_3_count"]["p"] == "sensor"
    small = Discovery(ShownDevice("0", "m", (YARD,)), TOPICS).message().payload
    assert len(small) < FULL_WORDS_LIMIT
    assert b"stat_t" not in small
