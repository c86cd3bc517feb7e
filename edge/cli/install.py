"""``edge install`` and ``edge uninstall``: units, users, device rules, the example configuration."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from edge.core.errors import EdgeError, UsageError
from edge.host.install.live import announce, forget, is_running_systemd, withdraw
from edge.host.install.parcel import (
    PACKAGED,
    SHIPPED_PROGRAM,
    Wishes,
    all_places,
    parcel,
    places_of_the_other,
    unit_names,
)
from edge.host.install.placing import Deed, Step, place, plan_placing, plan_removing, remove

root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    default=Path("/"),
    help="The system to work on: an image or a mounted card.",
)
dry_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@root_option
@click.option("--split", is_flag=True, help="Two units: a detector without network, a publisher without devices.")
@click.option("--volatile-journal", is_flag=True, help="Keep the journal in memory, to spare an SD card.")
@click.option("--program", help="The command that the units run; default: this edge, or /opt/edge/bin/edge for --root.")
@dry_option
@json_option
def install(
    *, root: Path, split: bool, volatile_journal: bool, program: str | None, dry_run: bool, as_json: bool
) -> None:
    """Put systemd units, users, the Edge TPU's device rule and an example configuration in place.

    Can be repeated: what is out of date is updated, what somebody has changed is left alone, and no configuration is
    ever touched. It starts nothing; the last lines say how.
    """
    packaged = root / PACKAGED
    if packaged.exists() and program is None:
        raise EdgeError(
            f"{packaged}: the Debian package has put everything in place already; `systemctl enable --now edge` starts "
            "it. To run another edge instead, name it: edge install --program COMMAND"
        )
    if program is not None:
        _check_program(program)
    wishes = Wishes(program or _program(root), is_pair=split, has_volatile_journal=volatile_journal)
    items = parcel(wishes)
    others = places_of_the_other(wishes)
    is_live = is_running_systemd(root) and not dry_run
    # placed first: if that is not possible, the units that run are left running
    steps = plan_placing(items, root) if dry_run else place(items, root)
    troubles = withdraw([path.name for path in others]) if is_live else []
    steps += plan_removing(others, root) if dry_run else remove(others, root)
    troubles += announce() if is_live else []
    _tell(steps, troubles, root=root, is_dry=dry_run, as_json=as_json, advice=_next_steps(wishes, root))


@click.command()
@root_option
@dry_option
@json_option
def uninstall(*, root: Path, dry_run: bool, as_json: bool) -> None:
    """Stop the service and take away what `edge install` put in place.

    Configuration, credentials, waiting events and what somebody has changed stay.
    """
    is_live = is_running_systemd(root) and not dry_run
    troubles = withdraw([path.name for path in all_places()]) if is_live else []
    steps = plan_removing(all_places(), root) if dry_run else remove(all_places(), root)
    troubles += forget() if is_live else []
    left = [
        f"what is yours stays: remove it with `rm -r {root / folder}`"
        for folder in ("etc/edge", "var/lib/edge")
        if (root / folder).exists()
    ]
    _tell(steps, troubles, root=root, is_dry=dry_run, as_json=as_json, advice=left)


def _check_program(program: str) -> None:
    """systemd starts nothing by a relative path, and has no shell that would look for it (systemd.service(5))."""
    if not program.startswith("/"):
        raise UsageError(
            f"--program {program}: expected a command with its whole path, as systemd wants it; "
            f"from this folder: --program {Path(program).absolute()}"
        )


def _program(root: Path) -> str:
    if root != Path("/"):
        return SHIPPED_PROGRAM
    beside = Path(sys.executable).with_name("edge")  # where pip puts it, in a virtual environment and outside
    found = str(beside) if beside.is_file() else shutil.which("edge")
    return found or f"{sys.executable} -m edge"


def _next_steps(wishes: Wishes, root: Path) -> list[str]:
    steps = []
    if not (root / "etc/edge/edge.yaml").exists():
        steps.append(f"write {root / 'etc/edge/edge.yaml'}: copy edge.example.yaml beside it and change it")
    if wishes.program.startswith(("/home/", "/root/")):
        steps.append(f"the service's user must be able to reach {wishes.program}; /opt/edge is a better place")
    units = " ".join(unit_names(wishes))
    if root == Path("/"):
        steps += ["check it: edge check && edge doctor", f"start it: systemctl enable --now {units}"]
    else:
        steps.append(f"switch it on in the image: systemctl --root={root} enable {units}")
    return steps


def _tell(
    steps: Sequence[Step], troubles: Sequence[str], *, root: Path, is_dry: bool, as_json: bool, advice: Sequence[str]
) -> None:
    if as_json:
        files = [{"path": str(root / step.path), "deed": step.deed.name.lower()} for step in steps]
        click.echo(json.dumps({"files": files, "dry_run": is_dry, "troubles": list(troubles), "next": list(advice)}))
        return
    for step in steps:
        would = "would be " if is_dry and step.changes else ""
        click.echo(f"{root / step.path}: {would}{step.deed}")
    if not steps:
        click.echo("nothing of edge's is there")
    if is_dry:
        click.echo("nothing was done (--dry-run)")
    for trouble in troubles:
        click.echo(f"warning: {trouble}", err=True)
    if any(step.deed is Deed.KEPT for step in steps):
        click.echo("to have ours again, move your file away and repeat", err=True)
    for line in advice:
        click.echo(f"next: {line}", err=True)
