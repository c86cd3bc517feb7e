"""``edge models``: list, inspect, pull, verify and choose model files."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from edge.catalog.bare import name_of
from edge.catalog.cards import ModelCard
from edge.catalog.download import MIRROR_VARIABLE, Downloader
from edge.catalog.inspector import Hints, Inspection
from edge.catalog.labels import read_labels
from edge.catalog.matching import matches_card
from edge.catalog.pull import draft_card, pull_model, save_card
from edge.catalog.store import FoundCard, Library, missing_file, model_folders, pull_folder
from edge.catalog.trial import ChildTrial
from edge.cli.model_choice import rollback, use
from edge.cli.model_text import card_line, inspection_json, inspection_text
from edge.cli.path_text import path_text
from edge.core.errors import EdgeError, ModelError, UsageError
from edge.core.home import expand_home
from edge.core.model import Family


@click.group()
def models() -> None:
    """Find, inspect, fetch and choose models."""


models.add_command(use)
models.add_command(rollback)


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def list_models(*, as_json: bool) -> None:
    """Show the models that have a card, and whether their files are here."""
    library = Library(model_folders())
    rows = [(found, library.file_of(found)) for found in library.cards()]
    if as_json:
        click.echo(json.dumps({"models": [_card_json(found, path) for found, path in rows]}))
    else:
        for found, path in rows:
            click.echo(card_line(found.card, here=path is not None))
    for message in library.broken_cards():
        click.echo(f"edge: skipped: {message}", err=True)


@models.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--labels", "labels_file", type=click.Path(path_type=Path), help="One label per line, in class order.")
@click.option(
    "--family", type=click.Choice([family.value for family in Family]), help="Read the outputs as this family."
)
@click.option("--card", "card_file", type=click.Path(path_type=Path), help="Write the drafted card to this file.")
def inspect(*, file: str, as_json: bool, labels_file: Path | None, family: str | None, card_file: Path | None) -> int:
    """Say what FILE (a .tflite, or a card's name) is and how it is run, or why it cannot be."""
    found = _inspect(file, labels_file, family)
    if as_json:
        click.echo(json.dumps(inspection_json(found)))
    else:
        click.echo(inspection_text(found))
    if not found.usable:
        click.echo(f"edge: {path_text(found.path)}: {found.reason}", err=True)
        return ModelError.exit_code
    if card_file is not None:
        save_card(_placed(draft_card(found, name=name_of(card_file)), found.path, card_file), card_file)
        click.echo(f"edge: wrote {card_file}; fill in the licence and where the model comes from", err=True)
    return 0


@models.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--mirror", help=f"A folder or address that holds the files (else ${MIRROR_VARIABLE}, else the origin).")
@click.option("--twin", is_flag=True, help="Fetch the same model for the other backend too.")
@click.option(
    "--into", type=click.Path(path_type=Path), help="Folder for files and cards (else the first writable one)."
)
def pull(*, names: tuple[str, ...], mirror: str | None, twin: bool, into: Path | None) -> None:
    """Fetch models by name, verified, with their cards."""
    signal.signal(signal.SIGTERM, _stop)  # so that a part of a file is removed as after Ctrl-C
    library = Library(model_folders())
    folder = into or pull_folder()
    downloader = Downloader(mirror=mirror or os.environ.get(MIRROR_VARIABLE) or None)
    for card in _wanted(library, names, twin=twin):
        if card.origin is None and library.file_of(library.card(card.name)) is not None:
            click.echo(f"edge: {card.name} comes with the program; nothing to fetch", err=True)
            continue
        with _progress(card.name) as progress:
            path = pull_model(card, folder, downloader=downloader, trial=ChildTrial(), progress=progress)
        click.echo(path_text(path))


@models.command()
@click.argument("names", nargs=-1)
def verify(*, names: tuple[str, ...]) -> int:
    """Check files against their cards; all that are here, or those named."""
    library = Library(model_folders())
    wrong = list(library.broken_cards()) if not names else []
    chosen = [library.card(name) for name in names] or library.cards()
    for found in chosen:
        path = library.file_of(found)
        if path is None and not names:
            continue
        fault = _fault(found, path)
        click.echo(f"{found.card.name}: {fault or 'ok'}")
        wrong += [fault] if fault else []
    for message in library.broken_cards() if not names else ():
        click.echo(message)
    return EdgeError.exit_code if wrong else 0


def _fault(found: FoundCard, path: Path | None) -> str:
    if path is None:
        return missing_file(found)
    try:
        labels = len(found.card.label_list())
        fault = matches_card(path, found.card)
    except ModelError as error:
        return str(error)
    if not fault and found.card.layout is not None and labels != found.card.layout.classes:
        return f"{labels} labels for {found.card.layout.classes} classes"
    return f"{path}: {fault}" if fault else ""


def _inspect(file: str, labels_file: Path | None, family: str | None) -> Inspection:
    """A refusal too when there is no such model or label file: with --json each gets its object."""
    library, path = Library(model_folders()), Path(file)
    try:
        path = _model_file(library, file)
        labels = read_labels(labels_file) if labels_file else ()
    except ModelError as error:
        return Inspection(path, reason=str(error))
    hints = Hints(Family(family) if family else None, labels, str(labels_file or ""))
    return library.inspect(path, trial=ChildTrial(), hints=hints)


def _model_file(library: Library, text: str) -> Path:
    """The path, or the file of the card that has this name."""
    path = expand_home(text)
    if path.exists() or os.sep in text or path.suffix:
        return path
    found = library.card(text)
    file = library.file_of(found)
    if file is None:
        raise ModelError(missing_file(found))
    return file


def _placed(card: ModelCard, model: Path, card_file: Path) -> ModelCard:
    """A card in another folder than the model names it by its full path."""
    if card_file.resolve().parent == model.resolve().parent:
        return card
    return msgspec.structs.replace(card, file=str(model.resolve()))


def _wanted(library: Library, names: tuple[str, ...], *, twin: bool) -> list[ModelCard]:
    cards = [library.card(name).card for name in names]
    for card in list(cards):
        if twin and card.twin is None:
            raise UsageError(f"the model {card.name} has no twin for another backend; leave --twin out")
        if twin and card.twin is not None:
            cards.append(library.card(card.twin).card)
    return list({card.name: card for card in cards}.values())


def _card_json(found: FoundCard, path: Path | None) -> dict[str, Any]:
    card = found.card
    return {
        "name": card.name,
        "summary": card.summary,
        "licence": card.licence,
        "file": path_text(path) if path else None,
        "here": path is not None,
        "card": path_text(found.path),
        "sha256": card.sha256,
        "family": card.layout.family.value if card.layout else None,
        "backend": card.layout.backend if card.layout else None,
        "twin": card.twin,
        "threshold": card.threshold,
        "labels": list(card.label_list()),
    }


def _stop(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
