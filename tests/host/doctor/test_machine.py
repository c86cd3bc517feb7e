"""Versions, clock, power, memory, cards: what the kernel's files mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.host.doctor.probes import clock, disk, memory, power, versions
from edge.host.doctor.values import Finding, Patient, State
from tests.host.doctor.patients import system

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
GIGABYTE = 1_000_000_000 // 512


def the_clock(patient: Patient, **more: datetime) -> Finding:
    return clock.judge(patient, **({"now": NOW, "installed_at": NOW - timedelta(days=9)} | more))


def test_a_clock_that_a_time_server_keeps_is_right(tmp_path: Path) -> None:
    patient = system(tmp_path, {"run/systemd/timesync/synchronized": "", "sys/class/rtc/rtc0/name": "ds1307"})

    assert the_clock(patient).state is State.OK


def test_without_a_time_server_and_a_battery_it_says_both(tmp_path: Path) -> None:
    finding = the_clock(system(tmp_path, {}))

    assert finding.state is State.WARNING
    assert "no time server" in finding.found
    assert "while it is off" in finding.found
    assert "set-ntp" in finding.fix


def test_a_clock_before_the_day_edge_came_is_wrong(tmp_path: Path) -> None:
    patient = system(tmp_path, {"run/systemd/timesync/synchronized": ""})

    finding = the_clock(patient, now=datetime(1970, 1, 1, tzinfo=UTC))

    assert finding.state is State.BROKEN
    assert "1970-01-01" in finding.found


@pytest.mark.parametrize(
    ("bits", "state", "words", "fix"),
    [
        ("0", State.OK, "steady", ""),
        ("50005", State.WARNING, "now: under voltage, throttled", "power supply"),
        ("80000", State.WARNING, "since the start: soft temperature limit", "heat sink"),
        ("50000", State.WARNING, "since the start: under voltage, throttled", "power supply"),
    ],
)
def test_the_firmwares_complaints_are_told_with_what_helps(
    tmp_path: Path, bits: str, state: State, words: str, fix: str
) -> None:
    finding = power.look(system(tmp_path, {FIRMWARE: f"{bits}\n"}))[0]

    assert finding.state is state
    assert words in finding.found
    assert fix in finding.fix


def test_the_firmware_is_found_on_a_pi_5_too(tmp_path: Path) -> None:
    patient = system(tmp_path, {FIRMWARE.replace("soc/soc:", "soc@107c000000/soc@107c000000:"): "1\n"})

    assert "under voltage" in power.look(patient)[0].found


def test_a_hot_processor_is_told(tmp_path: Path) -> None:
    patient = system(tmp_path, {"sys/class/thermal/thermal_zone0/temp": "82400\n"})

    assert power.look(patient)[1].state is State.WARNING


def test_a_machine_that_says_nothing_is_not_blamed(tmp_path: Path) -> None:
    patient = system(tmp_path, {})

    findings = [*power.look(patient), *memory.look(patient), disk.judge_card(patient)]

    assert {finding.state for finding in findings} == {State.OK}


def test_little_memory_is_told(tmp_path: Path) -> None:
    patient = system(tmp_path, {"proc/meminfo": "MemTotal:  430000 kB\nMemFree: 1 kB\nMemAvailable:  90000 kB\n"})

    (finding,) = memory.look(patient)

    assert (finding.state, finding.found) == (State.WARNING, "87 of 419 MB free")


@pytest.mark.parametrize(
    ("machine", "is_64_bit", "python", "state"),
    [
        ("aarch64", True, (3, 13), State.OK),
        ("aarch64", False, (3, 11), State.BROKEN),
        ("armv7l", False, (3, 11), State.BROKEN),
        ("x86_64", True, (3, 14), State.WARNING),
    ],
)
def test_only_64_bit_systems_and_known_pythons_are_right(
    tmp_path: Path, machine: str, is_64_bit: bool, python: tuple[int, int], state: State
) -> None:
    files = {"etc/os-release": 'PRETTY_NAME="Debian 13"\n', "proc/device-tree/model": "Raspberry Pi 4 Model B\0"}

    finding = versions.judge(system(tmp_path, files), machine=machine, is_64_bit=is_64_bit, python=python)

    assert finding.state is state
    assert "Debian 13" in finding.found
    assert "(Raspberry Pi 4 Model B)" in finding.found


def test_a_folder_that_can_be_written_is_right_and_keeps_no_trace(tmp_path: Path) -> None:
    finding = disk.judge_folder(tmp_path / "edge")

    assert finding.state is State.OK
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_disk_is_told_from_a_missing_right() -> None:
    """/proc takes no files from anybody, and is no read-only file system."""
    assert disk.judge_folder(Path("/proc/edge")).state is State.BROKEN


def test_a_worn_card_and_one_that_is_written_to_all_day_are_told(tmp_path: Path) -> None:
    stat = f"0 0 0 0 0 0 {GIGABYTE} 0"
    day = {"proc/uptime": "7200.0 1.0"}
    worn = system(tmp_path / "worn", {"sys/block/mmcblk0/device/life_time": "0x03 0x09\n"})
    busy = system(tmp_path / "busy", {"sys/block/mmcblk0/stat": stat} | day)
    young = system(tmp_path / "young", {"sys/block/mmcblk0/stat": stat, "proc/uptime": "60.0 1.0"})

    assert "90 % of its life used" in disk.judge_card(worn).found
    assert "12.0 GB written a day" in disk.judge_card(busy).found
    assert "volatile-journal" in disk.judge_card(busy).fix
    assert disk.judge_card(young).state is State.OK
