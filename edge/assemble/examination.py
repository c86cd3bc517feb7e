"""What is wrong with a configuration, its model and its labels, all at once: nothing is opened and nobody is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.capture.spec import parse_source
from edge.config.files import check_files
from edge.config.labels import check_labels
from edge.config.load import load_config
from edge.config.not_yet import unused_settings
from edge.config.problems import BadConfigError, Problem
from edge.config.values import Config
from edge.core.errors import ConfigError, EdgeError
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


def examine(file: Path, resolve: Callable[[Config], Model]) -> Findings:
    """Check a file; ``resolve`` finds the model that a configuration names, or raises an EdgeError.

    Mistakes of every kind are told at once, as far as what could be read of a wrong file lets them be seen.
    """
    try:
        config = load_config(file)
    except BadConfigError as error:
        findings = Findings(str(file), problems=list(error.problems))
        if error.rest is not None:
            _check_rest(error.rest, resolve, findings)
        return findings
    findings = examine_config(config, resolve)
    findings.file = str(file)
    return findings


def examine_config(config: Config, resolve: Callable[[Config], Model]) -> Findings:
    """Check what was read already."""
    findings = Findings(str(config.origin.file))
    findings.checked.append(f"configuration: {_count(len(config.cameras), 'camera')}, device {config.device}")
    _check_further(config, resolve, findings)
    return findings


def _check_rest(config: Config, resolve: Callable[[Config], Model], findings: Findings) -> None:
    """What stands at a wrong key is a default, of which nothing is to be said."""
    wrong = tuple(problem.key for problem in findings.problems)
    further = Findings(findings.file)
    _check_further(config, resolve, further)
    findings.problems += [problem for problem in further.problems if not problem.key.startswith(wrong)]
    findings.warnings += further.warnings


def _check_further(config: Config, resolve: Callable[[Config], Model], findings: Findings) -> None:
    findings.problems += check_files(config)
    findings.problems += _check_sources(config)
    findings.warnings += [
        f"{key} (line {config.origin.lines.get(key, '?')}) is read and checked, but this version does not act on it yet"
        for key in unused_settings(config)
    ]
    _check_model(config, resolve, findings)


def _check_sources(config: Config) -> list[Problem]:
    """What the sources' own options say; files that are missing are named by ``check_files`` already."""
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
    _check_sister(config, model, findings)


def _check_sister(config: Config, model: Model, findings: Findings) -> None:
    from edge.assemble.sister import KEY, find_sister  # loads the catalogue, which the model has needed by now

    try:
        sister = find_sister(config, model)
    except EdgeError as error:
        findings.problems.append(Problem(KEY, str(error), config.origin.lines.get(KEY)))
        return
    if sister is not None:
        findings.checked.append(f"smaller model, for a hot day: {sister.name}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
