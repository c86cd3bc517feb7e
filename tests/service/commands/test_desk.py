"""Commands come in, are checked, written down, done and answered; garbage does nothing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edge.report.listening import PAYLOAD_LIMIT
from edge.service.commands.overrides import Overrides
from tests.service.commands.desk import INFO, LABELS, Desk

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schema"
NAMES = ("camera", "threshold", "self-test")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text()))


def test_a_camera_is_switched_off_and_on(desk: Desk) -> None:
    off = desk.ask("camera", camera="yard", enabled=False)
    on = desk.ask("camera", camera="yard", enabled=True)

    assert off == {"transaction": "t1", "status": "ok", "camera": "yard", "enabled": False}
    assert on["enabled"] is True
    assert desk.switches["yard"].turns == ["off", "on"]
    assert desk.switches["shed"].turns == []


def test_a_change_is_told_in_info_before_its_answer(desk: Desk) -> None:
    said = desk.hear("camera", b'{"transaction": "t", "camera": "yard", "enabled": false}')

    assert said[0] == INFO
    assert said[1].topic == "edge/gate/response/camera"


def test_a_threshold_is_changed_and_taken_back(desk: Desk) -> None:
    desk.ask("threshold", camera="yard", label="person", threshold=0.7)
    desk.ask("threshold", camera="yard", label="traffic light", threshold=0.3)
    desk.ask("threshold", camera="yard", label="person", threshold=None)

    assert desk.tuned == [
        ("yard", {"person": 0.7}),
        ("yard", {"person": 0.7, "traffic light": 0.3}),
        ("yard", {"traffic light": 0.3}),
    ]


def test_what_was_changed_is_there_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    desk.ask("camera", camera="yard", enabled=False)
    desk.ask("threshold", camera="shed", label="person", threshold=0.8)

    restarted = Overrides(tmp_path / "commands.json")
    restarted.open(LABELS)

    assert restarted.of("yard").enabled is False
    assert restarted.of("yard").changed == ("enabled",)
    assert restarted.of("shed").thresholds == {"person": 0.8}


@pytest.mark.parametrize(
    ("name", "request_", "words"),
    [
        ("camera", {"camera": "gard", "enabled": False}, "no camera gard"),
        ("camera", {"camera": "../../etc", "enabled": False}, "camera"),
        ("camera", {"camera": "yard", "enabled": "no"}, "enabled"),
        ("camera", {"camera": "yard"}, "enabled"),
        ("camera", {"camera": "yard", "enabled": True, "url": "http://x"}, "url"),
        ("threshold", {"camera": "yard", "label": "zebra", "threshold": 0.5}, "zebra"),
        ("threshold", {"camera": "yard", "label": "person", "threshold": 1.5}, "threshold"),
        ("threshold", {"camera": "yard", "label": "person", "threshold": 0.0}, "threshold"),
        ("threshold", {"camera": "yard", "label": "person", "threshold": True}, "threshold"),
        ("self-test", {"picture": "/etc/passwd"}, "picture"),
        ("reboot", {}, "no command reboot"),
    ],
)
def test_what_is_not_as_the_schema_says_is_refused_in_words(
    desk: Desk, name: str, request_: dict[str, object], words: str
) -> None:
    answer = desk.ask(name, **request_)

    assert answer["status"] == "error"
    assert words in answer["reason"]
    assert not desk.has_acted
    schema("response").validate(answer)


def test_a_request_without_a_transaction_is_refused_too(desk: Desk) -> None:
    (answer,) = desk.hear("camera", b'{"camera": "yard", "enabled": false}')

    assert json.loads(answer.payload)["transaction"] == ""
    assert not desk.has_acted


@pytest.mark.parametrize("name", NAMES)
def test_a_retained_command_does_nothing_and_is_not_answered(desk: Desk, name: str) -> None:
    said = desk.hear(name, b'{"transaction": "t", "camera": "yard", "enabled": false}', retained=True)

    assert said == []
    assert not desk.has_acted
    assert [line["step"] for line in desk.written] == ["ignored"]


def test_a_command_that_is_too_large_does_nothing_and_is_not_answered(desk: Desk) -> None:
    payload = b'{"transaction": "t", "camera": "yard", "enabled": false}' + b" " * PAYLOAD_LIMIT

    assert desk.hear("camera", payload) == []
    assert not desk.has_acted


def test_a_self_test_says_ok_with_its_time_and_the_cameras(desk: Desk) -> None:
    assert desk.ask("self-test") == {
        "transaction": "t1",
        "status": "ok",
        "inference_ms": 12.3,
        "cameras": {"yard": "online"},
    }


def test_a_self_test_that_finds_something_wrong_says_what_it_is(desk: Desk) -> None:
    desk.process.fault = "the output scores is 3 away from what it was"

    assert "the output scores is 3 away" in desk.ask("self-test")["reason"]


def test_a_self_test_whose_model_does_not_answer_is_refused_after_a_while(desk: Desk) -> None:
    desk.process.is_slow = True

    said = desk.hear("self-test", b'{"transaction": "t"}')
    desk.clock.advance(11)
    said += desk.desk.due()
    desk.clock.advance(2)
    answer = json.loads(desk.desk.due()[-1].payload)

    assert said == []
    assert (answer["status"], answer["transaction"]) == ("error", "t")
    assert "did not answer" in answer["reason"]
    assert desk.desk.due() == []


def test_two_who_ask_for_a_self_test_at_once_are_both_answered(desk: Desk) -> None:
    desk.process.is_slow = True
    said = desk.hear("self-test", b'{"transaction": "one"}') + desk.hear("self-test", b'{"transaction": "two"}')
    assert said == []

    desk.process.is_slow = False
    answers = [json.loads(message.payload) for message in desk.desk.due() if "response" in message.topic]

    assert [(each["transaction"], each["status"]) for each in answers] == [("one", "ok"), ("two", "ok")]


def test_a_self_test_is_answered_though_another_configuration_comes_in_between(desk: Desk) -> None:
    desk.process.is_slow = True
    assert desk.hear("self-test", b'{"transaction": "one"}') == []
    desk.reload()
    desk.process.is_slow = False

    said = desk.desk.due() + desk.desk.due()

    assert json.loads(said[-1].payload)["transaction"] == "one"
    assert json.loads(said[-1].payload)["status"] == "ok"


def test_a_self_test_while_the_model_is_being_started_is_refused_at_once(desk: Desk) -> None:
    desk.process.is_there = False

    assert "being started" in desk.ask("self-test")["reason"]


def test_a_flood_is_answered_once_and_then_passed_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path, per_minute=60, burst=3)

    said = [desk.hear("self-test", b'{"transaction": "t"}') for _ in range(100)]

    answers = [json.loads(messages[-1].payload)["status"] for messages in said if messages]
    assert answers == ["ok", "ok", "ok", "error"]
    assert len(desk.written) < 10
    desk.clock.advance(2)
    assert desk.ask("self-test")["status"] == "ok"


def test_every_command_is_written_down_before_it_is_done(desk: Desk) -> None:
    desk.ask("camera", camera="yard", enabled=False)
    desk.ask("camera", camera="gard", enabled=False)

    assert [(line["step"], line["command"]) for line in desk.written] == [
        ("asked", "camera"),
        ("done", "camera"),
        ("asked", "camera"),
        ("refused", "camera"),
    ]
    assert desk.written[0]["request"] == {"transaction": "t1", "camera": "yard", "enabled": False}


def test_what_can_not_be_written_down_is_not_done(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "commands.jsonl").unlink(missing_ok=True)
    (tmp_path / "commands.jsonl").mkdir()

    answer = desk.ask("camera", camera="yard", enabled=False)

    assert answer["status"] == "error"
    assert desk.switches["yard"].turns == []


def test_what_can_not_be_kept_is_not_done(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "commands.json.new").mkdir()

    answer = desk.ask("camera", camera="yard", enabled=False)

    assert "can't be kept" in answer["reason"]
    assert desk.switches["yard"].turns == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)
near_misses = st.fixed_dictionaries(
    {},
    optional={
        "transaction": st.text(max_size=70) | json_values,
        "camera": st.sampled_from(["yard", "shed", "Yard", "a/b"]) | json_values,
        "enabled": st.booleans() | json_values,
        "label": st.sampled_from(["person", "zebra"]) | json_values,
        "threshold": st.floats() | json_values,
        "epoch": st.text(max_size=70) | json_values,
        "from": st.integers() | json_values,
        "to": st.integers() | json_values,
    },
).map(lambda each: json.dumps(each).encode("utf-8", "surrogatepass"))
payloads = (
    st.binary(max_size=5000)
    | json_values.map(lambda each: json.dumps(each).encode("utf-8", "surrogatepass"))
    | near_misses
    | st.just(b"[" * 4000)
    | st.just(b'{"a":' * 800)
)
topic_names = st.sampled_from(NAMES) | st.text(max_size=70)


@settings(max_examples=150, deadline=None)
@given(name=topic_names, payload=payloads, retained=st.booleans())
def test_no_payload_raises_or_acts_unless_it_is_a_command(name: str, payload: bytes, retained: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))

        said = desk.hear(name, payload, retained=retained)

        if desk.has_acted:
            assert not retained
            schema(f"command_{name}".replace("-", "_")).validate(json.loads(payload))
        for message in said:
            if message.topic != INFO.topic:
                schema("response").validate(json.loads(message.payload))
                assert (message.qos, message.retain) == (1, False)
