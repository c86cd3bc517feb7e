"""The drop-in for mosquitto is one that systemd reads without a complaint, and keeps the broker in its box."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edge.core.shared_files import shared_folder

_EXPOSURE = 15  # of 100; the distribution's unit has 96

# as Debian ships it, with commands that every machine has: verifying looks for them
_DISTRIBUTION = """[Unit]
Description=Mosquitto MQTT Broker

[Service]
Type=notify
ExecStart=/bin/true
ExecStartPre=/bin/mkdir -m 740 -p /var/log/mosquitto
"""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    path = tmp_path / "mosquitto.service"
    path.write_text(_DISTRIBUTION)
    drop_in = tmp_path / "mosquitto.service.d" / "hardening.conf"
    drop_in.parent.mkdir()
    drop_in.write_bytes((shared_folder("systemd") / "mosquitto" / "hardening.conf").read_bytes())
    return path


def test_systemd_reads_it_without_a_complaint(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_box_is_tight(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={_EXPOSURE}", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-200:]
