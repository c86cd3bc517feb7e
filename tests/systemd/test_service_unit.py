"""The unit is one that systemd reads without a complaint, and keeps the service in its box."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edge.core.errors import ConfigError
from edge.core.shared_files import shared_folder

UNIT = shared_folder("systemd") / "edge.service"
_EXPOSURE = 30  # of 100; a unit without a sandbox has 96


def settings() -> list[str]:
    return [line for line in UNIT.read_text("utf-8").splitlines() if line and not line.startswith("#")]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a command that this machine has: verifying looks for it."""
    text = UNIT.read_text("utf-8")
    command = next(line for line in settings() if line.startswith("ExecStart="))
    program = command.removeprefix("ExecStart=").split()[0]
    path = tmp_path / "edge.service"
    path.write_text(text.replace(program, "/bin/true"))
    return path


def test_systemd_reads_the_unit_without_a_complaint(unit: Path) -> None:
    """An unknown key is only a line on standard error, with exit code 0: there must be none."""
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_sandbox_is_tight(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={_EXPOSURE}", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-200:]


def test_a_wrong_configuration_is_not_tried_again() -> None:
    assert f"RestartPreventExitStatus={ConfigError.exit_code}" in settings()


@pytest.mark.parametrize("setting", ["PrivateDevices", "ProcSubset", "MemoryDenyWriteExecute"])
def test_nothing_is_closed_that_the_detector_needs(setting: str) -> None:
    """Cameras are devices; kernels are picked by /proc/cpuinfo; XNNPACK compiles at run time."""
    assert [line for line in settings() if line.startswith(f"{setting}=")] == []


def test_no_secret_comes_by_the_environment() -> None:
    assert [line for line in settings() if line.startswith(("Environment", "PassEnvironment"))] == []
