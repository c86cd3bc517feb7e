"""``edge doctor``: looks at this machine and says what to do."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from edge.host.doctor.values import Finding, State

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.BROKEN: "red"}


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="The file; else /etc/edge/edge.yaml, else ./edge.yaml; without any, the machine alone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list of name, state, found, fix.")
def doctor(config_file: Path | None, as_json: bool) -> int:
    """Look at this machine: runtime, accelerator, cameras, broker, clock, power, disk, permissions.

    Each thing is ok, warning or broken, with the next step. It takes no picture, publishes nothing and disturbs no
    service that runs; what hangs is a finding too. Exit codes: 0 nothing is broken, 1 something is.
    """
    from edge.assemble.doctor import PROBES, prepare
    from edge.core.clock import SystemClock
    from edge.host.doctor.asking import ask

    examination = prepare(config_file)
    answers = dict(ask(PROBES, examination.patient, SystemClock()))
    findings = [*examination.findings, *(finding for probe in PROBES for finding in answers[probe])]
    if as_json:
        click.echo(msgspec.json.encode(findings))
    else:
        _print(findings)
    return int(any(finding.state is State.BROKEN for finding in findings))


def _print(findings: list[Finding]) -> None:
    # imported here: a script that asks for JSON need not wait for it
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for title in ("", "state", "found, and the next step"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        words = Text(finding.found)
        if finding.fix:
            words.append(f"\n-> {finding.fix}", style="bold")
        table.add_row(finding.name, Text(finding.state.value, style=_STYLES[finding.state]), words)
    Console().print(table)
    bad = sum(finding.state is State.BROKEN for finding in findings)
    odd = sum(finding.state is State.WARNING for finding in findings)
    click.echo(f"{len(findings)} things looked at: {bad} broken, {odd} warning(s)")
