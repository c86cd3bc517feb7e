"""MQTT 5 first, 3.1.1 where a broker knows no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.core.clock import HandClock
from edge.report.topics import Topics
from tests.fakes_report import Diary, Running, text_event
from tests.scripted_broker import CONNECT, PUBLISH, Packet, Script, ScriptedBroker, obliging

Run = Callable[..., Running]
Make = Callable[[Script], ScriptedBroker]

TOPICS = Topics("gate")
REFUSALS_OF_VERSION_5 = {
    "as MQTT 5 says": b"\x20\x03\x00\x84\x00",
    "without properties": b"\x20\x02\x00\x84",
    "as MQTT 3.1.1 says": b"\x20\x02\x00\x01",
}


def _only_3_1_1(refusal: bytes) -> Script:
    def script(packet: Packet) -> bytes | None:
        return refusal if packet.kind == CONNECT and packet.level == 5 else obliging(packet)

    return script


@pytest.mark.parametrize("refusal", REFUSALS_OF_VERSION_5.values(), ids=REFUSALS_OF_VERSION_5.keys())
def test_where_5_is_refused_3_1_1_is_spoken(script: Make, run: Run, diary: Diary, refusal: bytes) -> None:
    broker = script(_only_3_1_1(refusal))

    running = run(broker.port)

    diary.wait_for("connected to the broker, MQTT 3.1.1")
    running.sink.send(text_event(TOPICS, "told"))
    assert broker.next(PUBLISH).topic == "edge/gate/status"
    assert broker.next(PUBLISH).body.endswith(b"told")


def test_the_refusal_of_5_is_remembered(script: Make, run: Run, diary: Diary) -> None:
    def cuts_once(packet: Packet) -> bytes | None:
        return None if packet.kind == PUBLISH and packet.connection == 1 else polite(packet)

    polite = _only_3_1_1(b"\x20\x03\x00\x84\x00")
    broker = script(cuts_once)

    run(broker.port)

    assert [broker.next(CONNECT).level for _ in range(3)] == [5, 4, 4]


def test_an_old_broker_that_only_hangs_up_at_5_is_found_out(script: Make, run: Run, diary: Diary) -> None:
    def hangs_up(packet: Packet) -> bytes | None:
        return None if packet.kind == CONNECT and packet.level == 5 else obliging(packet)

    broker = script(hangs_up)

    run(broker.port)

    diary.wait_for("connected to the broker, MQTT 3.1.1")
    assert [broker.next(CONNECT).level for _ in range(3)] == [5, 5, 4]


@pytest.mark.parametrize("version_3_code", [4, 5])
def test_an_old_broker_s_refusal_of_credentials_waits_for_a_minute_too(
    script: Make, run: Run, diary: Diary, version_3_code: int
) -> None:
    def script_of(packet: Packet) -> bytes | None:
        return b"\x20\x02\x00\x01" if packet.level == 5 else bytes([0x20, 2, 0, version_3_code])

    broker = script(script_of)
    clock = HandClock()

    running = run(broker.port, clock=clock)

    diary.wait_for("broker.password")
    assert running.sink.stats().is_refused
    diary.wait_for("next attempt in")
    clock.advance(76)
    assert [broker.next(CONNECT).level for _ in range(3)] == [5, 4, 4]
