"""What systemd says about the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.core.errors import ConfigError
from edge.host.commands import Done, run
from edge.host.doctor.values import Finding, Patient, broken, ok, warning

_UNITS = ("edge.service", "edge-detector.service", "edge-publisher.service")
_KEYS = "Id,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,StatusText"
_MANY_RESTARTS = 5


def look(patient: Patient) -> list[Finding]:
    return judge(patient, run)


def judge(patient: Patient, ask: Callable[[Sequence[str]], Done]) -> list[Finding]:
    """One finding for each unit that is installed."""
    if not patient.place("run/systemd/system").is_dir():
        return [ok("service", "this system is not run by systemd")]
    done = ask(("systemctl", "show", "--no-pager", f"--property={_KEYS}", *_UNITS))
    if done.code != 0:
        return [warning("service", f"systemctl does not answer: {done.errors}", "`systemctl status` says more")]
    units = [_fields(block) for block in done.output.strip().split("\n\n")]
    installed = [unit for unit in units if unit.get("LoadState") == "loaded"]
    if not installed:
        return [ok("service", "not installed; `sudo edge install` makes it start with this machine")]
    return [_judge_unit(unit) for unit in installed]


def _judge_unit(unit: dict[str, str]) -> Finding:
    name = unit.get("Id", "edge.service").removesuffix(".service")
    state, restarts = unit.get("ActiveState", ""), int(unit.get("NRestarts") or 0)
    found = f"{name}: {state} ({unit.get('SubState', '')})"
    if unit.get("ExecMainStatus") == str(ConfigError.exit_code) and state != "active":
        return broken(
            "service",
            f"{found}, for its configuration or model is wrong",
            f"`edge check`, then `sudo systemctl restart {name}`",
        )
    if state == "failed":
        return broken("service", f"{found}, {unit.get('Result', '')}", f"`journalctl -u {name} -n 30` says why")
    if state != "active" and name != "edge-publisher":
        return warning("service", found, f"`sudo systemctl enable --now {name}`")
    text = unit.get("StatusText", "")
    found += f", {text}" if text else ""
    if "safe mode" in text:
        return warning("service", found, f"mend the configuration (`edge check`), then `sudo systemctl restart {name}`")
    if restarts >= _MANY_RESTARTS:
        return warning(
            "service", f"{found}; started anew {restarts} times", f"`journalctl -u {name} -p warning` says why"
        )
    return ok("service", found)


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
