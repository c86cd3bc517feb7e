"""``edge check``: the configuration, its model and its labels, without touching a camera or the network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from edge.config.files import check_files
from edge.config.labels import check_labels
from edge.config.load import find_config, load_config
from edge.config.not_yet import unused_settings
from edge.config.problems import BadConfigError, Problem
from edge.config.values import Config
from edge.core.errors import ConfigAwayError, ConfigError, EdgeError
from edge.core.model import Model


@dataclass(slots=True)
class Findings:
    """What was looked at, and what came of it."""

    file: str
    checked: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.problems


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


def examine(file: Path, resolve: Callable[[Config], Model]) -> Findings:
    """Check a file; ``resolve`` finds the model that a configuration names, or raises an EdgeError."""
    findings = Findings(str(file))
    try:
        config = load_config(file)
    except BadConfigError as error:
        findings.problems += error.problems
        return findings
    findings.checked.append(f"configuration: {_count(len(config.cameras), 'camera')}, device {config.device}")
    findings.problems += check_files(config)
    findings.problems += _check_sources(config)
    findings.warnings += [
        f"{key} (line {config.origin.lines.get(key, '?')}) is read and checked, but this version does not act on it yet"
        for key in unused_settings(config)
    ]
    _check_model(config, resolve, findings)
    return findings


def _check_sources(config: Config) -> list[Problem]:
    """What the sources' own options say; files that are missing are named by ``check_files`` already."""
    from edge.capture.spec import parse_source

    problems = []
    for name, camera in config.cameras.items():
        try:
            parse_source(camera.source, base=config.folder)
        except ConfigError as error:
            key = f"cameras.{name}.source"
            problems.append(Problem(key, str(error), config.origin.lines.get(key)))
    return problems


def _check_model(config: Config, resolve: Callable[[Config], Model], findings: Findings) -> None:
    try:
        model = resolve(config)
    except EdgeError as error:
        findings.problems.append(Problem("model", str(error), config.origin.lines.get("model")))
        return
    findings.checked.append(f"model: {model.name}, {model.layout.family}, {_count(len(model.labels), 'label')}")
    findings.problems += check_labels(config, model.labels)


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

    return resolve_model(config)


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
