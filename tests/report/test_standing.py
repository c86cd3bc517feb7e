"""Counts that hold until the next one."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from edge.core.events import LineCount, Occupancy
from edge.report.payloads import standing_message
from edge.report.topics import Topics
from tests.report.test_documents import SCHEMAS

TOPICS = Topics("gate")


@pytest.mark.parametrize(
    ("standing", "topic", "payload"),
    [
        (Occupancy("person", 2), "edge/gate/camera/yard/count/person", b"2"),
        (Occupancy("traffic light", 0), "edge/gate/camera/yard/count/traffic_light", b"0"),
        (Occupancy("person", 1, "drive"), "edge/gate/camera/yard/zone/drive/person", b"1"),
    ],
)
def test_an_occupancy_is_a_plain_number_that_is_retained(standing: Occupancy, topic: str, payload: bytes) -> None:
    message = standing_message(standing, TOPICS, "yard")

    assert (message.topic, message.payload, message.qos, message.retain) == (topic, payload, 0, True)


def test_a_line_s_counts_keep_their_schema() -> None:
    message = standing_message(LineCount("gate-line", 3, 1, 1_763_690_000_000), TOPICS, "yard")

    told = json.loads(message.payload)
    Draft202012Validator(SCHEMAS["line"]).validate(told)
    assert told == {"in": 3, "out": 1, "since": 1_763_690_000_000}
    assert (message.topic, message.qos, message.retain) == ("edge/gate/camera/yard/line/gate-line", 1, True)
