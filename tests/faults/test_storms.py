"""The short forms of the long runs: ``tools.faults.kills``, ``soak`` and ``fuzz``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.service import infer_letters
from edge.service.child import Child
from tests.flow.running import CHECKOUT
from tools.faults.fuzz.__main__ import TARGETS
from tools.faults.fuzz.puppets import Puppet, PuppetService
from tools.faults.heard import running
from tools.faults.kills import is_clean, storm
from tools.faults.process import children, freeze
from tools.faults.red_model import NAME, write_red_model
from tools.faults.soak import soak

LONGER_THAN_ANYONE_MAY_BE_SILENT_S = 12.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.broker
def test_children_that_are_killed_one_after_the_other_are_replaced_and_nothing_is_left_behind(tmp_path: Path) -> None:
    victims = ["publisher", "infer", "capture", "publisher"]

    kills, left = storm(tmp_path, victims, seed=1, longest_s=0.0)

    assert [kill.victim for kill in kills] == victims
    assert is_clean(left), left


@pytest.mark.broker
def test_a_service_that_was_frozen_as_a_whole_goes_on_with_the_same_processes(tmp_path: Path) -> None:
    """As a machine that slept, or a control group that got no processor time: nobody has hung."""
    yard = {"source": "synthetic:?width=320&height=240&objects=6", "fps": 10, "publish_detections": True}
    write_red_model(tmp_path / "models")
    models = {"EDGE_MODELS": str(tmp_path / "models")}
    with running(tmp_path, {"yard": yard}, environment=models, model=NAME, threads=1) as run:
        run.detections("yard", since_s=0.0)
        before = children(run.program.pid)

        # the service last, and first when it is over: it waits for an answer all the while
        freeze((*before.values(), run.program.pid), LONGER_THAN_ANYONE_MAY_BE_SILENT_S)
        run.detections("yard", since_s=time.time() + 2.0)

        assert children(run.program.pid) == before


@pytest.mark.broker
def test_frames_that_pass_leave_no_descriptor_and_no_thread_behind(tmp_path: Path) -> None:
    samples = soak(tmp_path, 600)

    held = {(each["main"][0], each["main"][1]) for each in samples[30:] if "capture" in each}
    assert len(held) == 1, held
    assert len(samples) > 80, "one for every six frames"


def test_a_puppet_has_all_that_a_child_has() -> None:
    wanted = {name for name in dir(Child) if not name.startswith("_")}

    assert wanted <= set(dir(Puppet(greet=list)))


@pytest.mark.parametrize("run_ms", [float("inf"), float("nan")])
def test_a_model_s_process_that_took_no_time_that_there_is_does_not_end_the_service(run_ms: float) -> None:
    stage = PuppetService()
    stage.model.says.append(infer_letters.encode(infer_letters.Ready("m", "0" * 64, "cpu", "none 0", run_ms)))

    stage.go_round()
    stage.go_round()

    assert stage.model.restarts == 1
    stage.end()


def test_what_reads_other_people_s_bytes_bears_any(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.faults.fuzz", "--inputs", "300", "--seed", "7", "--keep", str(tmp_path)]

    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"| {name} | 300 | 0 |" in done.stdout for name in TARGETS), done.stdout
