"""What systemd says of the units, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge.host.commands import Done, run
from edge.host.doctor.probes.service import judge
from edge.host.doctor.values import Finding, State
from tests.host.doctor.patients import system


def unit(name: str = "edge.service", **changes: str) -> str:
    fields = {
        "Id": name, "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success",
        "NRestarts": "0", "ExecMainStatus": "0", "StatusText": "watching 1 camera(s)",
    }  # fmt: skip
    return "\n".join(f"{key}={value}" for key, value in (fields | changes).items())


def told(tmp_path: Path, *units: str) -> list[Finding]:
    def ask(command: Sequence[str]) -> Done:
        assert command[:2] == ("systemctl", "show")
        return Done(0, "\n\n".join(units) + "\n")

    return judge(system(tmp_path, {"run/systemd/system/x": ""}), ask)


def test_a_service_that_runs_is_right(tmp_path: Path) -> None:
    (finding,) = told(tmp_path, unit(), unit("edge-detector.service", LoadState="not-found"))

    assert (finding.state, finding.found) == (State.OK, "edge: active (running), watching 1 camera(s)")


def test_a_wrong_configuration_is_told_from_other_failures(tmp_path: Path) -> None:
    (wrong,) = told(tmp_path, unit(ActiveState="failed", SubState="failed", ExecMainStatus="78", Result="exit-code"))
    (other,) = told(tmp_path, unit(ActiveState="failed", SubState="failed", Result="watchdog"))

    assert (wrong.state, wrong.fix) == (State.BROKEN, "`edge check`, then `sudo systemctl restart edge`")
    assert "watchdog" in other.found
    assert "journalctl -u edge" in other.fix


def test_safe_mode_and_many_restarts_are_told(tmp_path: Path) -> None:
    (safe,) = told(tmp_path, unit(StatusText="safe mode: watching 1 camera(s)"))
    (shaky,) = told(tmp_path, unit(NRestarts="12"))

    assert (safe.state, shaky.state) == (State.WARNING, State.WARNING)
    assert "edge check" in safe.fix
    assert "started anew 12 times" in shaky.found


def test_a_publisher_that_waits_for_its_detector_is_right(tmp_path: Path) -> None:
    detector = unit("edge-detector.service")
    publisher = unit("edge-publisher.service", ActiveState="inactive", SubState="dead", StatusText="")

    assert {finding.state for finding in told(tmp_path, detector, publisher)} == {State.OK}


def test_a_service_that_was_never_started_and_none_at_all(tmp_path: Path) -> None:
    (still,) = told(tmp_path, unit(ActiveState="inactive", SubState="dead", StatusText=""))
    (none,) = told(tmp_path, unit(LoadState="not-found"))

    assert "enable --now edge" in still.fix
    assert "edge install" in none.found


def test_without_systemd_nothing_is_asked(tmp_path: Path) -> None:
    (finding,) = judge(system(tmp_path, {}), lambda _: Done(1))

    assert finding.state is State.OK


def test_a_systemctl_that_fails_is_told(tmp_path: Path) -> None:
    (finding,) = judge(system(tmp_path, {"run/systemd/system/x": ""}), lambda _: Done(1, errors="no bus"))

    assert "no bus" in finding.found


def test_a_command_that_is_not_there_is_no_exception() -> None:
    assert run(["no-such-command-at-all"]).trouble == "not found"
    assert run(["false"]).trouble == "exit code 1"
    assert run(["true"]).trouble is None
