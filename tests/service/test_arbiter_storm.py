"""Processes are killed at random, again and again: no picture is torn, nothing is left behind."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.service.leases import SLOTS, Holder
from tests.service import acting_capture, acting_infer
from tests.service.test_arbiter import Stage

pytestmark = pytest.mark.slow

KILLS = 15


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_ahead", [False, True])
def test_however_often_children_are_killed_pictures_are_whole_and_nothing_leaks(is_ahead: bool) -> None:
    chance = random.Random(4)
    parts = {name: acting_capture.Part(every_s=0.002, size=(640, 480)) for name in ("yard", "gate")}
    stage = Stage(parts, acting_infer.Part(is_ahead=is_ahead))
    stage.until(lambda: bool(stage.numbers("yard") and stage.numbers("gate")))
    pids: list[Callable[[], int | None]] = [
        lambda: stage.arbiter.brain.pid,
        lambda: stage.arbiter.eyes["yard"].pid,
        lambda: stage.arbiter.eyes["gate"].pid,
    ]
    before, killed = descriptors(), []

    for _ in range(KILLS):
        stage.more_than(chance.randrange(20))
        pid = chance.choice(pids)()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
    for camera in ("yard", "gate"):
        count = len(stage.numbers(camera))
        stage.until(lambda camera=camera, count=count: len(stage.numbers(camera)) > count + 20)

    stage.check()
    assert descriptors() <= before
    for eye in stage.arbiter.eyes.values():
        held = [len(eye.leases.held_by(holder)) for holder in Holder]
        assert sum(held) == SLOTS
        assert len(eye.leases.held_by(Holder.MODEL)) <= 3
    stage.arbiter.close()
    assert not [pid for pid in killed if Path(f"/proc/{pid}").exists() and _is_ours(pid)]


def _is_ours(pid: int) -> bool:
    try:
        return f"PPid:\t{os.getpid()}" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
