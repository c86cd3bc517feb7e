"""What the machine's own troubles become in the health message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.core.clock import HandClock
from edge.report.topics import Topics
from edge.service.health import health_report
from edge.service.machine import disk_free_mb, throttled_file, throttled_flags
from edge.service.news import CameraState
from edge.service.reading import Reading

FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"


def told(system: Path, *, standing: tuple[str, ...] = (), synced: bool = True) -> dict[str, Any]:
    """The health of a service whose one camera is well."""
    report = health_report(
        Topics("gate"), ("yard",), HandClock(synced=synced), folder=system, standing=lambda: standing, system=system
    )
    reading = Reading(1.0, 10, {"yard": 10.0}, {}, {}, {"yard": CameraState.ONLINE})
    health: dict[str, Any] = json.loads(report(reading).payload)
    return health


def write(system: Path, name: str, content: str) -> None:
    (system / name).parent.mkdir(parents=True, exist_ok=True)
    (system / name).write_text(content)


def test_a_machine_that_is_well_has_no_reasons(tmp_path: Path) -> None:
    health = told(tmp_path)

    assert (health["state"], health["reasons"], health["throttled"]) == ("ok", [], None)


def test_under_voltage_and_throttling_degrade_while_they_last(tmp_path: Path) -> None:
    write(tmp_path, FIRMWARE, "50005\n")
    now = told(tmp_path)
    write(tmp_path, FIRMWARE, "50000\n")
    before = told(tmp_path)

    assert now["reasons"] == ["throttled"]
    assert now["throttled"] == ["under_voltage", "throttled", "under_voltage_occurred", "throttled_occurred"]
    assert (before["state"], before["throttled"]) == ("ok", ["under_voltage_occurred", "throttled_occurred"])


def test_heat_degrades(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "81200\n")

    health = told(tmp_path)

    assert (health["reasons"], health["temperature_c"]) == (["hot"], 81.2)


def test_a_clock_that_nobody_keeps_is_said_and_no_fault(tmp_path: Path) -> None:
    health = told(tmp_path, synced=False)

    assert (health["state"], health["time"]["synced"]) == ("ok", False)


def test_what_holds_for_the_whole_run_comes_first(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "90000\n")

    health = told(tmp_path, standing=("safe_mode",))

    assert (health["state"], health["reasons"]) == ("degraded", ["safe_mode", "hot"])


@pytest.mark.parametrize("content", ["", "soon", "0x5000z", "\0"])
def test_a_firmware_that_talks_nonsense_says_nothing(tmp_path: Path, content: str) -> None:
    write(tmp_path, FIRMWARE, content)

    assert throttled_flags(throttled_file(tmp_path)) is None


def test_a_folder_that_is_gone_has_no_free_space(tmp_path: Path) -> None:
    assert disk_free_mb(tmp_path / "gone") is None
