"""The units are ones that systemd reads without a complaint, and that keep each process in its box."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.core.errors import ConfigError
from edge.core.shared_files import shared_folder

SYSTEMD = shared_folder("systemd")
SINGLE, DETECTOR, PUBLISHER = (
    SYSTEMD / "edge.service",
    *(SYSTEMD / "pair" / f"edge-{name}.service" for name in ("detector", "publisher")),
)
HOTPLUG = SYSTEMD / "pair" / "edge-detector-hotplug.conf"
SERVICES = pytest.mark.parametrize("unit", [SINGLE, DETECTOR, PUBLISHER], ids=lambda path: path.stem)
LONGEST_HANG_S = 15  # from a hang to a service that runs again


def settings(unit: Path) -> list[str]:
    return [line for line in unit.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def value(unit: Path, key: str) -> str | None:
    return next((line.partition("=")[2] for line in settings(unit) if line.startswith(f"{key}=")), None)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """All units with commands that this machine has: verifying looks for them."""
    for unit in (SINGLE, DETECTOR, PUBLISHER):
        text = unit.read_text("utf-8").replace("/opt/edge/bin/edge", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", [SINGLE.name, DETECTOR.name, PUBLISHER.name])
def test_systemd_reads_the_unit_without_a_complaint(units: Path, name: str) -> None:
    """An unknown key is only a line on standard error, with exit code 0: there must be none."""
    done = subprocess.run(["systemd-analyze", "verify", units / name], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("unit", "most"), [(SINGLE, 15), (DETECTOR, 12), (PUBLISHER, 10)], ids=["single", "detector", "publisher"]
)
def test_the_sandbox_is_tight(unit: Path, most: int) -> None:
    """In tenths of systemd's exposure level, of 100; a unit without a sandbox has 96."""
    assert exposure(unit) <= most


def test_a_detector_that_hears_of_devices_by_the_hosts_netlink_is_tight_all_the_same(tmp_path: Path) -> None:
    open_network = DETECTOR.read_text("utf-8").replace("PrivateNetwork=yes", settings(HOTPLUG)[-1])
    unit = tmp_path / "edge-detector.service"
    unit.write_text(open_network)

    assert "PrivateNetwork=no" in open_network
    assert exposure(unit) <= 12


def exposure(unit: Path) -> int:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    level = done.stdout.rstrip().rpartition("Overall exposure level")[2].partition(": ")[2].split()[0]
    return round(float(level) * 10)


@SERVICES
def test_a_wrong_configuration_is_not_tried_again(unit: Path) -> None:
    assert value(unit, "RestartPreventExitStatus") == str(ConfigError.exit_code)


@SERVICES
def test_systemd_never_gives_up(unit: Path) -> None:
    assert value(unit, "StartLimitIntervalSec") == "0"


@SERVICES
def test_what_hangs_is_running_again_soon(unit: Path) -> None:
    watchdog_s = int(value(unit, "WatchdogSec") or 0)
    restart_s = int(str(value(unit, "RestartSec")).removesuffix("ms")) / 1000

    assert 0 < watchdog_s + restart_s < LONGEST_HANG_S - 3  # three seconds to the first frame


@pytest.mark.parametrize("unit", [SINGLE, DETECTOR], ids=lambda path: path.stem)
def test_children_are_ended_by_their_parent_and_never_left_behind(unit: Path) -> None:
    assert value(unit, "KillMode") == "mixed"


@pytest.mark.parametrize("unit", [SINGLE, DETECTOR], ids=lambda path: path.stem)
@pytest.mark.parametrize("setting", ["PrivateDevices", "ProcSubset", "MemoryDenyWriteExecute"])
def test_nothing_is_closed_that_the_detector_needs(unit: Path, setting: str) -> None:
    """Cameras are devices; kernels are picked by /proc/cpuinfo; XNNPACK compiles at run time."""
    assert value(unit, setting) is None


@SERVICES
def test_no_secret_comes_by_the_environment(unit: Path) -> None:
    assert [line for line in settings(unit) if line.startswith(("Environment", "PassEnvironment"))] == []


def test_the_detector_has_no_network_and_the_publisher_no_device() -> None:
    assert value(DETECTOR, "PrivateNetwork") == "yes"
    assert "INET" not in str(value(DETECTOR, "RestrictAddressFamilies"))
    assert value(PUBLISHER, "PrivateDevices") == "yes"
    assert value(PUBLISHER, "DeviceAllow") is None


def test_the_pair_meets_at_one_socket_in_one_group() -> None:
    meeting = f"/run/{value(PUBLISHER, 'RuntimeDirectory')}/socket"

    assert f"--publisher {meeting}" in str(value(DETECTOR, "ExecStart"))
    assert f"--socket {meeting}" in str(value(PUBLISHER, "ExecStart"))
    assert value(DETECTOR, "Group") == value(PUBLISHER, "Group")
    assert value(DETECTOR, "User") != value(PUBLISHER, "User")


def test_the_publisher_may_write_where_the_detector_keeps_what_waits() -> None:
    kept = {f"-/var/lib/{value(DETECTOR, 'StateDirectory')}", f"-/run/{value(DETECTOR, 'RuntimeDirectory')}"}

    assert set(str(value(PUBLISHER, "ReadWritePaths")).split()) == kept
    assert value(DETECTOR, "StateDirectoryMode") == value(DETECTOR, "RuntimeDirectoryMode") == "2770"


def test_the_users_of_the_units_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    command = ["systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "sysusers" / "edge.conf"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    users = (tmp_path / "etc" / "passwd").read_text()
    groups = (tmp_path / "etc" / "group").read_text()
    assert done.returncode == 0, done.stderr
    assert all(f"{value(unit, 'User')}:" in users for unit in (DETECTOR, PUBLISHER))
    assert all(f"{group}:x:" in groups for group in ("edge", "video", "plugdev"))


def test_the_folders_of_the_units_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    shutil.copy("/etc/passwd", tmp_path / "etc")
    shutil.copy("/etc/group", tmp_path / "etc")
    wanted = tmp_path / "edge.conf"  # owned by whoever runs the tests
    wanted.write_text(
        (SYSTEMD / "tmpfiles" / "edge.conf").read_text().replace("root root", f"{os.getuid()} {os.getgid()}")
    )
    command = ["systemd-tmpfiles", f"--root={tmp_path}", "--create", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc" / "edge" / "credentials").stat().st_mode & 0o777 == 0o700
