"""``edge models use`` and ``edge models rollback``: which model the service runs."""

from __future__ import annotations

from pathlib import Path

import click

from edge.assemble.outbox import SERVICE_FOLDER
from edge.assemble.stock import kept_folder
from edge.catalog.choice import ModelChoice
from edge.catalog.store import find_model, is_path
from edge.catalog.trial import ChildTrial
from edge.catalog.trust import ModelTrust
from edge.config.labels import check_labels
from edge.config.load import find_config, load_config
from edge.config.problems import BadConfigError
from edge.config.values import Config
from edge.core.errors import ConfigError, ModelError
from edge.core.home import expand_home
from edge.core.looking import is_folder
from edge.core.model import Model

_CONFIG = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Default: /etc/edge/edge.yaml, else ./edge.yaml."
)


@click.command()
@click.argument("name")
@_CONFIG
def use(*, name: str, config_file: Path | None) -> None:
    """Run the model NAME (a card's name or a file) instead of the configuration's, from the next start on.

    It is tried first: a model that crashes, or lacks a label that the configuration names, is not chosen.
    """
    config = _load(config_file)
    # The service runs in another folder: a path must be whole.
    asked = str(expand_home(name).resolve()) if is_path(name) else name
    model = find_model(asked)
    _check(model, config)
    folder = _writable(config)
    trust, choice = ModelTrust(folder), ModelChoice(folder)
    trust.open()
    try:
        trust.pardon(model)
        choice.use(asked, config.model)
    except OSError as error:
        raise _cannot_keep(choice, error) from error
    _say(asked, config, choice)


@click.command()
@_CONFIG
def rollback(*, config_file: Path | None) -> None:
    """Run the model that was in force before the last 'edge models use', from the next start on."""
    config = _load(config_file)
    choice = ModelChoice(_writable(config))
    try:
        asked = choice.roll_back(config.model)
    except OSError as error:
        raise _cannot_keep(choice, error) from error
    _say(asked, config, choice)


def _load(file: Path | None) -> Config:
    return load_config(find_config(file))


def _check(model: Model, config: Config) -> None:
    """Raise what speaks against the model before the service finds out."""
    problems = check_labels(config, model.labels)
    if problems:
        raise BadConfigError(str(config.origin.file), problems)
    if model.layout.backend == "cpu":
        try:
            ChildTrial().run(model.path)
        except ModelError as error:
            raise ModelError(f"{model.path}: {error}; not chosen") from error


def _writable(config: Config) -> Path:
    """The service's own folder; in another one nobody would read the choice."""
    folder = kept_folder(config)
    if config.outbox.path is None and is_folder(SERVICE_FOLDER) and folder != SERVICE_FOLDER:
        raise ConfigError(
            f"the service keeps its choice of a model in {SERVICE_FOLDER}, where this user may not write; "
            "run the command as root: sudo edge models use ..."
        )
    return folder


def _cannot_keep(choice: ModelChoice, error: OSError) -> ConfigError:
    return ConfigError(f"{choice.file}: the choice can't be kept ({error.strerror or error}); run the command as root")


def _say(asked: str, config: Config, choice: ModelChoice) -> None:
    instead = "as the configuration says" if asked == config.model else f"instead of the configuration's {config.model}"
    click.echo(f"{asked}")
    click.echo(
        f"edge: from the next start on this model runs, {instead} (kept in {choice.file}); now: systemctl restart edge",
        err=True,
    )
