"""Random histories against the model (``tools/faults/outbox_histories.py`` plays a hundred thousand)."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from edge.core.events import Severity
from tools.faults.outbox_histories import MEMORY, play, run
from tools.faults.outbox_model import DISK_CODES, Machine

SEVERITY = st.sampled_from(Severity)


class Outbox(RuleBasedStateMachine):
    """The model's steps as rules, so that a failing history is made short."""

    @initialize(has_consumer=st.booleans())
    def begin(self, has_consumer: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="edge-test-", dir=MEMORY if MEMORY.is_dir() else None))
        self.machine = Machine(self.folder, has_consumer=has_consumer)

    def teardown(self) -> None:
        if hasattr(self, "machine"):
            self.machine.settle()
            self.machine.close()
            shutil.rmtree(self.folder)

    @rule(severity=SEVERITY, size=st.sampled_from([10, 900, 9000]), count=st.integers(1, 40), which=st.integers(0, 3))
    def append(self, severity: Severity, size: int, count: int, which: int) -> None:
        for _ in range(count):
            self.machine.append(severity, size, which)

    @rule()
    def commit(self) -> None:
        self.machine.commit()
        self.machine.check_size()

    @rule()
    def tend(self) -> None:
        self.machine.tend()

    @rule(limit=st.integers(1, 20), acknowledge=st.booleans(), in_order=st.booleans())
    def send(self, limit: int, acknowledge: bool, in_order: bool) -> None:
        self.machine.send(limit, acknowledge=acknowledge, in_order=in_order)

    @rule()
    def confirm(self) -> None:
        self.machine.confirm()

    @rule(first=st.integers(1, 30), count=st.integers(0, 30))
    def replay(self, first: int, count: int) -> None:
        self.machine.replay(first, first + count)

    @rule()
    def dead_letter(self) -> None:
        self.machine.dead_letter()

    @rule(seconds=st.sampled_from([0.01, 11, 61, 7200]))
    def advance(self, seconds: float) -> None:
        self.machine.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.machine.restart()

    @rule()
    def kill(self) -> None:
        self.machine.kill()

    @rule()
    def cut_power(self) -> None:
        self.machine.cut_power()

    @rule(seed=st.integers(0, 1000), flips=st.sampled_from([1, 5]))
    def damage(self, seed: int, flips: int) -> None:
        self.machine.damage(Random(seed), flips)

    @rule(code=st.sampled_from(DISK_CODES), count=st.integers(1, 3))
    def fail(self, code: int, count: int) -> None:
        self.machine.fail(code, count)

    @rule(free=st.sampled_from([0.01, 0.5]))
    def fill_disk(self, free: float) -> None:
        self.machine.free = free


TestOutbox = Outbox.TestCase
TestOutbox.settings = settings(
    max_examples=30, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_lose_nothing(folder: Path, seed: int) -> None:
    for number in range(50):
        random = Random(f"test-{seed}-{number}")

        play(Machine(folder / f"{number}", has_consumer=random.random() < 0.7), random, Counter())


def test_the_long_run_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(histories=5, seed=1, seconds=60) == 0

    assert capsys.readouterr().out.startswith("5 histories")
