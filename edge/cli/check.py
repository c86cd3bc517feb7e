"""``edge check``: the configuration, its model and its labels, without touching a camera or the network."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from edge.assemble.examination import Findings, examine
from edge.config.load import find_config
from edge.config.problems import Problem
from edge.config.values import Config
from edge.core.errors import ConfigAwayError, ConfigError
from edge.core.model import Model


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="The file; else /etc/edge/edge.yaml, else ./edge.yaml.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(config_file: Path | None, as_json: bool) -> int:
    """Check configuration, model and labels; touches no camera and no network."""
    findings = _examine(config_file)
    if as_json:
        _print_json(findings)
    else:
        _print_words(findings)
    return 0 if findings.good else ConfigError.exit_code


def _examine(config_file: Path | None) -> Findings:
    try:
        return examine(find_config(config_file), _resolve_model)
    except ConfigAwayError:
        raise  # nothing is known of the file: no finding
    except ConfigError as error:
        file = str(config_file or "")
        return Findings(file, problems=[Problem("", str(error).removeprefix(f"{file}: "))])


def _resolve_model(config: Config) -> Model:
    # Imported here: finding a model loads the catalogue, which a broken configuration does not need.
    from edge.assemble.model import resolve_model
    from edge.assemble.stock import model_in_force

    return resolve_model(config, model_in_force(config))


def _print_json(findings: Findings) -> None:
    told = {
        "file": findings.file,
        "good": findings.good,
        "problems": [asdict(problem) for problem in findings.problems],
        "warnings": findings.warnings,
    }
    click.echo(json.dumps(told))


def _print_words(findings: Findings) -> None:
    for line in findings.checked:
        click.echo(f"checked {line}")
    for warning in findings.warnings:
        click.echo(f"warning: {warning}", err=True)
    for problem in findings.problems:
        click.echo(f"edge: {problem.sentence(findings.file)}", err=True)
    if findings.good:
        click.echo(f"{findings.file}: the configuration is good")
