"""What a user of the reference consumer gets when things are killed. The long run is ``tools/faults/delivery.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import has_mosquitto
from tools.faults.delivery import judge, storm
from tools.faults.outage import outage
from tools.faults.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(600)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    assert has_mosquitto(), "install mosquitto and mosquitto-clients"
    stage = Stage(tmp_path, rate=50.0)
    yield stage
    stage.end()


@pytest.mark.parametrize("victim", ["publisher", "service", "broker"])
def test_no_alert_is_lost_or_seen_twice_when_something_is_killed(stage: Stage, victim: str) -> None:
    stage.start()

    kills = storm(stage, kills=4, victims=[victim], seed=1)
    stage.stop_service()
    stage.start_service("--rate", "0.5")
    stage.wait_for_all(120.0)
    stage.stop_service()
    stage.wait_for_all(10.0)

    verdict = judge(stage, kills, 0.0)
    assert (verdict.lost, verdict.seen_twice, verdict.unmarked) == (0, 0, 0), verdict
    assert verdict.committed > 0


def test_a_day_without_a_broker_costs_no_memory_and_no_alert(stage: Stage) -> None:
    found = outage(stage, 4_000)

    assert found.hours >= 24
    assert (found.missing, found.seen_twice, found.unmarked) == (0, 0, 0), found
    assert found.growth_kb < 10_000


def test_a_stop_with_a_backlog_and_a_mute_broker_takes_less_than_5_seconds(stage: Stage) -> None:
    stage.start_broker()
    stage.start_service("--rate", "500")
    stage.wait_for_commits(100)
    stage.freeze_broker()
    stage.wait_for_commits(2_000)

    assert stage.stop_service() < 5.0
