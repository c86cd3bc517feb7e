"""What ``apt remove`` and ``apt purge`` leave: the script runs for real in a folder, with no system around it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools.packaging.payload import template

_CONFIGURATION = "device: gate\noutbox:\n  path: {elsewhere}\n"
# What a provisioned card has besides the package's own.
_SET_UP = (
    "etc/edge/edge.yaml",
    "etc/edge/credentials/mqtt-key",
    "etc/systemd/system/edge.service.d/credentials.conf",
    "etc/systemd/system/edge-report.service",
    "etc/systemd/system/edge-report.timer",
    "etc/systemd/system/timers.target.wants/edge-report.timer",
    "etc/systemd/system/edge-setup.service",
    "etc/systemd/system/multi-user.target.wants/edge-setup.service",
    "var/lib/edge/outbox.db",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    for name in (*_SET_UP, "home/pi/outbox.db"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x\n")
    (folder / "etc/edge/edge.yaml").write_text(_CONFIGURATION.format(elsewhere=folder / "home/pi/outbox.db"))
    return folder


def run(root: Path, verb: str) -> str:
    text = template("postrm").decode()
    for place in ("/etc/", "/var/", "/run/"):
        text = text.replace(f" {place}", f" {root}{place}")
    script = root / "postrm"
    script.write_text(text)
    done = subprocess.run(["sh", str(script), verb], env=os.environ, capture_output=True, text=True, check=True)
    script.unlink()
    return done.stderr


def left(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_removing_keeps_what_is_the_users_and_says_so(root: Path) -> None:
    said = run(root, "remove")

    assert left(root) >= set(_SET_UP)
    assert "edge: kept: " in said


def test_purging_leaves_nothing_that_would_keep_a_later_installation_from_starting(root: Path) -> None:
    """A credential that systemd is asked for and that is nowhere; a report each day by a script that is gone."""
    run(root, "purge")

    assert left(root) == {"home/pi/outbox.db"}


def test_purging_names_what_lies_elsewhere(root: Path) -> None:
    said = run(root, "purge")

    assert f"left where edge.yaml placed it: {root}/home/pi/outbox.db" in said


def test_what_a_person_added_to_the_unit_stays(root: Path) -> None:
    own = root / "etc/systemd/system/edge.service.d/override.conf"
    own.write_text("[Service]\nNice=5\n")

    run(root, "purge")

    assert own.exists()
