"""tools/fleet: a small fleet loses nothing and comes back."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.broker.site import REPOSITORY

pytestmark = pytest.mark.broker


def _fleet(*arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.simulation", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("qos", ["0", "1"])
def test_a_small_fleet_loses_nothing(qos: str) -> None:
    found = _fleet("--cameras", "10", "--rate", "20", "--seconds", "1", "--qos", qos)

    assert (found["sent"], found["received"], found["lost"], found["repeated"]) == (200, 200, 0, 0)
    assert found["unacknowledged"] == 0


def test_several_collectors_share_the_messages_and_each_comes_to_one_of_them() -> None:
    found = _fleet("--cameras", "10", "--rate", "20", "--seconds", "1", "--collectors", "2")

    assert (found["sent"], found["received"], found["lost"], found["repeated"]) == (200, 200, 0, 0)
    shares = found["received_by_each"]
    assert isinstance(shares, list)
    assert len(shares) == 2
    assert min(shares) > 0


@pytest.mark.slow
def test_a_fleet_whose_broker_was_killed_comes_back_spread_out() -> None:
    found = _fleet("--cameras", "20", "--herd")["herd"]

    assert isinstance(found, dict)
    assert found["s_95"] < 60
