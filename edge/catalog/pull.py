"""Pulls a model: fetches its file, inspects it, and writes the full card beside it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec

from edge.catalog.cards import ModelCard, write_card
from edge.catalog.download import Downloader, Progress
from edge.catalog.inspector import Hints, Inspection, inspect_file
from edge.catalog.matching import matches_card
from edge.catalog.trial import Trial
from edge.core.errors import EdgeError


def pull_model(card: ModelCard, folder: Path, *, downloader: Downloader, trial: Trial, progress: Progress) -> Path:
    """Bring the card's file into ``folder`` and describe it there. A file that is there and right is not fetched again.

    Raises
    ------
    EdgeError
        Network, disk, wrong content, or a file that cannot be run here (it stays: it is the pinned one).
    """
    path = folder / Path(card.file).name
    if not path.is_file() or matches_card(path, card):
        path = downloader.fetch(card, folder, progress=progress)
    hints = Hints(labels=card.label_list(), labels_from=f"the card {card.name}")
    found = inspect_file(path, trial=trial, hints=hints)
    save_card(_completed(card, found), folder / f"{card.name}.yaml")
    if found.reason and found.backend == "cpu":
        found.require()
    return path


def _completed(card: ModelCard, found: Inspection) -> ModelCard:
    """The card with what the file told; a layout that needs hardware which is not here stays absent."""
    return msgspec.structs.replace(card, file=found.path.name, sha256=found.sha256, layout=found.layout or card.layout)


def draft_card(found: Inspection, *, name: str) -> ModelCard:
    """A card for an inspected file, to be completed by hand: origin, licence, figures."""
    return ModelCard(
        name=name,
        summary=found.description or f"{found.family} from {found.path.name}",
        file=found.path.name,
        licence=found.licence or "unknown: fill in",
        attribution=found.author,
        sha256=found.sha256,
        labels=found.labels,
        limits=tuple(found.notes),
        layout=found.layout,
    )


def save_card(card: ModelCard, path: Path) -> None:
    """Write a card in one step: whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".edge-card-", suffix=".part", delete=False) as part:
            temporary = Path(part.name)
            try:
                part.write(write_card(card).encode())
                part.flush()
                os.fsync(part.fileno())
                temporary.chmod(0o644)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise EdgeError(f"{path}: the card cannot be written: {error.strerror or error}") from error
