"""What is said, against the published schemas and worked numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edge.core.clock import SystemClock
from edge.core.values import (
    Box,
    EventTime,
    EventType,
    FrameSize,
    LineCrossing,
    Message,
    ModelRef,
    StageTimes,
    as_detections,
)
from edge.report import states
from edge.report.payloads import detections_message, event_message
from edge.report.topics import Topics
from tests.fakes_report import bare_event, make_event, make_track

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in sorted((DOCS / "schema").glob("*.json"))}
TOPICS = Topics("gate")
MODEL = ModelRef("ssd-mobilenet-v1", "ab" * 32)
TIME = EventTime(1_763_690_000_000, 8_123_456, "b00t", True, None)


def checked(message: Message, schema: str) -> Any:
    """The payload, once its schema has been kept."""
    payload = json.loads(message.payload)
    Draft202012Validator(SCHEMAS[schema]).validate(payload)
    return payload


def test_an_event_reads_as_the_contract_shows_it() -> None:
    message = event_message(make_event(seq=4711), TOPICS)

    payload = checked(message, "event")
    assert (message.topic, message.qos, message.retain) == ("edge/gate/camera/yard/event", 1, False)
    assert payload == {
        "schema": 1,
        "device": "gate",
        "epoch": "01JC",
        "seq": 4711,
        "type": "zone_enter",
        "camera": "yard",
        "label": "person",
        "score": 0.83,
        "top_score": 0.91,
        "box": [0.41, 0.22, 0.55, 0.71],
        "track": {"id": 42, "age_ms": 1840, "frames": 17, "stationary": False},
        "zones": ["drive"],
        "line": {"name": "gate-line", "direction": "in"},
        "rule": {
            "name": "person-in-drive",
            "severity": "alert",
            "why": [
                {"condition": "score", "value": 0.83, "threshold": 0.6},
                {"condition": "dwell_ms", "value": 1500, "threshold": 1000},
            ],
        },
        "time": {
            "wall_ms": 1_763_690_000_000,
            "monotonic_ms": 8_123_456,
            "boot_id": "b00t",
            "synced": True,
            "uncertainty_ms": 20,
        },
        "frame": {"sequence": 901, "width": 640, "height": 480},
        "model": {"name": "ssd-mobilenet-v1", "sha256": "ab" * 32},
        "backend": "cpu",
        "latency_ms": {"capture": 4, "preprocess": 1, "infer": 31, "decode": 1, "total": 37},
        "snapshot": None,
        "replayed": False,
    }


def test_the_keys_of_an_event_stand_in_the_order_of_the_contract() -> None:
    payload = json.loads(event_message(make_event(), TOPICS).payload)

    assert list(payload) == [key for key in SCHEMAS["event"]["properties"] if key not in ("lost", "reason")]


def test_whole_numbers_of_a_reason_have_no_decimals() -> None:
    assert b'"value":1500,"threshold":1000}' in event_message(make_event(), TOPICS).payload


def test_an_event_of_the_camera_itself_has_nulls_where_nothing_was_tracked() -> None:
    payload = checked(event_message(bare_event(), TOPICS), "event")

    empty = {key for key, value in payload.items() if value is None}
    assert empty == {"label", "score", "top_score", "box", "track", "line", "rule", "frame", "model", "snapshot"}


@pytest.mark.parametrize("type_", list(EventType))
def test_every_type_of_event_keeps_the_schema(type_: EventType) -> None:
    assert checked(event_message(make_event(type=type_), TOPICS), "event")["type"] == type_.value


def test_the_schema_knows_exactly_our_types_of_event() -> None:
    assert SCHEMAS["event"]["properties"]["type"]["enum"] == [each.value for each in EventType]


@given(
    corners=st.tuples(*[st.floats(-5000, 5000) for _ in range(4)]),
    size=st.tuples(st.integers(1, 8000), st.integers(1, 8000)),
)
def test_a_box_on_the_wire_is_always_within_the_frame(corners: tuple[float, ...], size: tuple[int, int]) -> None:
    event = make_event(track=make_track(box=Box(*corners)), frame=FrameSize(1, *size))

    box = checked(event_message(event, TOPICS), "event")["box"]

    assert all(0 <= edge <= 1 for edge in box)


def test_a_line_crossing_says_which_way() -> None:
    event = make_event(type=EventType.LINE_CROSS, line=LineCrossing("gate-line", "out"), rule=None)

    payload = checked(event_message(event, TOPICS), "event")

    assert payload["line"] == {"name": "gate-line", "direction": "out"}
    assert payload["rule"] is None


def _detections(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "detections": as_detections([[262.4, 105.6, 352, 340.8], [-10, 0, 700, 480]], [0.83, 0.123456], [0, 7]),
        "labels": ("person",),
        "frame": FrameSize(901, 640, 480),
        "time": TIME,
        "model": MODEL,
        "latency": StageTimes(4, 1, 31, 1),
    }
    return detections_message(TOPICS, "yard", **{**values, **changes})


def test_detections_are_told_in_parts_of_the_frame_with_four_digits() -> None:
    message = _detections()

    payload = checked(message, "detections")
    assert payload["detections"] == [
        {"label": "person", "class_id": 0, "score": 0.83, "box": [0.41, 0.22, 0.55, 0.71]},
        {"label": "class_7", "class_id": 7, "score": 0.1235, "box": [0.0, 0.0, 1.0, 1.0]},
    ]
    assert (message.topic, message.qos, message.retain) == ("edge/gate/camera/yard/detections", 0, False)
    assert message.expiry_s == 2


def test_an_empty_frame_is_told_as_an_empty_list() -> None:
    assert checked(_detections(detections=as_detections([], [], [])), "detections")["detections"] == []


def test_status_is_plain_text() -> None:
    online, offline = states.online_message(TOPICS), states.offline_message(TOPICS)

    assert (online.topic, online.payload, online.qos, online.retain) == ("edge/gate/status", b"online", 1, True)
    assert offline.payload == b"offline"


@pytest.mark.parametrize("state", list(states.CameraState))
def test_a_camera_s_state_is_plain_text(state: states.CameraState) -> None:
    message = states.camera_message(TOPICS, "yard", state)

    assert (message.topic, message.payload) == ("edge/gate/camera/yard/status", state.value.encode())
    assert (message.qos, message.retain) == (1, True)


def test_info_keeps_its_schema() -> None:
    info = states.DeviceInfo(
        edge="0.1.0", python="3.11.2", runtime="ai-edge-litert 2.1.6", model=MODEL, backend="cpu", cameras=("yard",)
    )

    message = states.info_message(TOPICS, info)

    payload = checked(message, "info")
    assert payload["delivery"] == "memory"
    assert payload["model"] == {"name": "ssd-mobilenet-v1", "sha256": "ab" * 32}
    assert (message.qos, message.retain) == (1, True)


def test_info_before_a_model_is_loaded_keeps_its_schema_too() -> None:
    info = states.DeviceInfo(edge="0.1.0", python="3.11.2", runtime=None, model=None, backend="cpu", cameras=())

    assert checked(states.info_message(TOPICS, info), "info")["model"] is None


def test_health_keeps_its_schema() -> None:
    health = states.Health(
        state=states.HealthState.DEGRADED,
        reasons=("camera_offline",),
        wall_ms=1,
        uptime_s=60,
        cameras=(states.CameraHealth("yard", states.CameraState.OFFLINE), _camera("gate")),
        latency=(states.StageLatency("infer", 31.24, 35.06),),
        drops=(states.DropCount("message_overflow", 3),),
        temperature_c=61.34,
        throttled=("under_voltage",),
        disk_free_mb=2048,
        clock_synced=True,
        outbox_depth=0,
    )

    message = states.health_message(TOPICS, health)

    payload = checked(message, "health")
    assert payload["latency_ms"] == {"infer": {"p50": 31.2, "p95": 35.1}}
    assert payload["drops"] == {"message_overflow": 3}
    assert (message.qos, message.retain) == (0, True)


def _camera(name: str) -> states.CameraHealth:
    return states.CameraHealth(name, states.CameraState.ONLINE, 9.87)


def test_unknown_health_is_null_not_zero() -> None:
    payload = checked(states.health_message(TOPICS, states.Health(states.HealthState.OK)), "health")

    unknown = {key for key, value in payload.items() if value is None}
    assert unknown == {"temperature_c", "throttled", "disk_free_mb", "outbox_depth", "accelerator"}
    assert payload["time"]["synced"] is None


def test_an_event_is_encoded_in_far_less_than_a_frame_s_time(benchmark_ms: Any) -> None:
    event = make_event()

    assert benchmark_ms(lambda: event_message(event, TOPICS)) < 0.2  # 0.011 measured; a busy machine takes longer


@pytest.fixture
def benchmark_ms() -> Any:
    def best_of(does: Any) -> float:
        clock = SystemClock()
        times = []
        for _ in range(5):
            began = clock.monotonic_ns()
            for _ in range(200):
                does()
            times.append((clock.monotonic_ns() - began) / 200 / 1e6)
        return min(times)

    return best_of
