"""Whatever a probe does to its process, doctor gets an answer in time."""

from __future__ import annotations

import pytest

from edge.core.clock import SystemClock
from edge.host.doctor.asking import ask
from edge.host.doctor.values import Finding, Patient, State

PROBE = "tests.host.doctor.troubled"
PATIENCE_S = 30.0


def asked(how: str, *, within_s: float = PATIENCE_S) -> Finding:
    answers = dict(ask({PROBE: within_s}, Patient(device=how), SystemClock()))
    (finding,) = answers[PROBE]
    return finding


def test_a_probe_answers_from_a_process_of_its_own() -> None:
    assert asked("well") == Finding("troubled", State.OK, "all is well")


def test_what_native_libraries_print_is_no_part_of_the_answer() -> None:
    assert asked("chatters").state is State.OK


def test_one_that_hangs_is_a_finding() -> None:
    finding = asked("hangs", within_s=1.0)

    assert (finding.name, finding.state) == ("troubled", State.BROKEN)
    assert "gave no answer within 1 s" in finding.found
    assert finding.fix


@pytest.mark.parametrize(("how", "ending"), [("crashes", "SIGSEGV"), ("leaves", "exit code 3")])
def test_one_that_ends_its_process_is_a_finding(how: str, ending: str) -> None:
    finding = asked(how)

    assert finding.state is State.BROKEN
    assert ending in finding.found


def test_a_fault_of_its_own_is_a_finding() -> None:
    assert "KeyError: 'speed'" in asked("errs").found


def test_many_are_asked_and_each_answers_once() -> None:
    probes = {f"edge.host.doctor.probes.{name}": PATIENCE_S for name in ("versions", "clock", "memory", "power")}

    answers = list(ask(probes, Patient(), SystemClock()))

    assert sorted(module for module, _ in answers) == sorted(probes)
    assert all(findings for _, findings in answers)
