"""Power cuts in a recorded run (``tools/faults/power_cut.py`` tries ten thousand points), and kills of a real child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from edge.report.outbox import Mode
from tests.report.outbox.device import Device
from tools.faults.power_cut import record, try_points
from tools.faults.recording import Disk, Step

POINTS = 200
KILLS = 6


def test_whatever_the_power_cut_leaves_it_opens_and_nothing_is_lost(folder: Path) -> None:
    steps = record(folder, seed=3)

    counts = try_points(steps, folder, POINTS, Random(3))

    assert counts["points"] == POINTS
    assert counts["committed"] > POINTS


def test_a_synced_write_survives_and_an_unsynced_one_may_not() -> None:
    disk = Disk()
    for kind, offset, data in (("w", 0, b"aaaa"), ("s", 0, b""), ("w", 2, b"bbbb")):
        disk.play(Step(kind, 7, offset, "/x/file", data))

    found = {disk.cut(Random(seed))["/x/file"] for seed in range(50)}

    assert {b"aaaa", b"aabbbb"} <= found
    assert all(content.startswith(b"aa") for content in found)


def test_a_new_name_may_be_lost_until_something_is_synced() -> None:
    disk = Disk()
    disk.play(Step("w", 7, 0, "/x/new", b"a"))
    disk.play(Step("s", 7, 0, "/x/new", b""))
    disk.play(Step("r", 0, 0, "/x/new", b"/x/file"))

    names = {tuple(disk.cut(Random(seed))) for seed in range(50)}
    disk.play(Step("s", 1, 0, "/x", b""))
    after = {tuple(disk.cut(Random(seed))) for seed in range(50)}

    assert names == {("/x/new",), ("/x/file",)}
    assert after == {("/x/file",)}


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_writer_loses_nothing_that_it_had_committed(folder: Path, seed: int) -> None:
    device = Device(folder)
    device.stop()
    command = [sys.executable, "-m", "tools.faults.committing", str(device.path)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert child.stdout is not None
    committed = [int(child.stdout.readline()) for _ in range(Random(seed).randint(1, 400))]
    child.send_signal(signal.SIGKILL)
    committed += [int(line) for line in child.stdout if line.endswith(b"\n")]
    child.wait()
    child.stdout.close()

    device.start()

    assert device.keeper.reading().mode is Mode.DURABLE
    assert device.keeper.reading().set_aside == ()
    assert set(committed) <= set(device.held())
    device.stop()
