"""Finds models: by a card's name, or by a file's path."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.catalog.bare import bare_model
from edge.catalog.cards import MAX_CARD_BYTES, ModelCard, read_card
from edge.catalog.content import read_bytes
from edge.catalog.matching import matches_card
from edge.catalog.remembered import Finding, Findings, cache_folder
from edge.core.errors import ModelError
from edge.core.home import expand_home
from edge.core.likeness import like
from edge.core.looking import is_file, is_folder, why_missing
from edge.core.model import Model
from edge.core.shared_files import shared_folder

if TYPE_CHECKING:  # a model with a card is found without the inspector: a service starts sooner
    from edge.catalog.inspector import Hints, Inspection
    from edge.catalog.trial import Trial

FOLDERS_VARIABLE = "EDGE_MODELS"
_SYSTEM = Path("/var/lib/edge/models")


@dataclass(frozen=True, slots=True)
class FoundCard:
    """A card and the file it lies in."""

    card: ModelCard
    path: Path


def model_folders(environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Where models and cards are looked for, first to last.

    $EDGE_MODELS (folders, separated as in PATH), /var/lib/edge/models, the user's data folder, and what is shipped.
    """
    environment = os.environ if environment is None else environment
    named = [Path(part) for part in environment.get(FOLDERS_VARIABLE, "").split(os.pathsep) if part]
    return (*named, _SYSTEM, _user_folder(environment), shared_folder("models"))


def pull_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where pulled models go: the first folder that this user may write to, but never among the shipped ones."""
    for folder in model_folders(environment)[:-1]:
        nearest = next((part for part in (folder, *folder.parents) if why_missing(part) is None), folder)
        if os.access(nearest, os.W_OK) and (folder != _SYSTEM or is_folder(folder) or os.geteuid() == 0):
            return folder
    return _user_folder(os.environ if environment is None else environment)


def _user_folder(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_DATA_HOME", "")
    return (Path(base) if base else expand_home("~") / ".local" / "share") / "edge" / "models"


def find_model(name_or_path: str, *, trial: Trial | None = None, folders: tuple[Path, ...] | None = None) -> Model:
    """The model that ``model:`` in a configuration or ``--model`` on a command line means.

    Parameters
    ----------
    name_or_path : a card's name, or the path of a .tflite file or of a card
    trial : runs files that no card describes; the default runs them in a child process, once, and keeps what it found
    folders : where to look; the default is ``model_folders()``

    Raises
    ------
    ModelError
        Unknown name, file not pulled yet, changed file, or a file that cannot be run: with the way out.
    """
    findings = Findings(cache_folder()) if trial is None else None
    library = Library(model_folders() if folders is None else folders, findings=findings)
    return library.find(name_or_path, trial=trial)


class Library:
    """The cards and files in some folders; an earlier folder's card hides a later one's of the same name.

    findings : of files without a card, from earlier; None = each is inspected anew
    """

    def __init__(self, folders: tuple[Path, ...], *, findings: Findings | None = None) -> None:
        self._folders = folders
        self._findings = findings

    def find(self, name_or_path: str, *, trial: Trial | None = None) -> Model:
        if is_path(name_or_path):
            path = expand_home(name_or_path)
            if path.suffix in {".yaml", ".yml"}:
                return self._from_card(FoundCard(read_card(path), path), trial)
            return self._from_file(path, trial)
        return self._from_card(self.card(name_or_path), trial)

    def cards(self) -> tuple[FoundCard, ...]:
        """All readable cards by name. A broken card hides itself alone; ``broken_cards`` names it."""
        found: dict[str, FoundCard] = {}
        for path in self._card_files():
            try:
                card = read_card(path)
            except ModelError:
                continue
            found.setdefault(card.name, FoundCard(card, path))
        return tuple(found[name] for name in sorted(found))

    def broken_cards(self) -> tuple[str, ...]:
        """What is wrong with cards that cannot be read, one message each."""
        messages = []
        for path in self._card_files():
            try:
                read_card(path)
            except ModelError as error:
                messages.append(str(error))
        return tuple(messages)

    def card(self, name: str) -> FoundCard:
        """The card of this name. Raises ModelError with the nearest names."""
        for path in self._card_files():
            if path.stem == name:
                card = read_card(path)  # a broken card of that very name must speak up
                if card.name == name:
                    return FoundCard(card, path)
        cards = {found.card.name: found for found in self.cards()}
        if name in cards:
            return cards[name]
        near = like(name, cards, count=3)
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise ModelError(
            f"there is no model {name!r}; {meant}'edge models list' shows all. A file is given by its path (./{name})"
        )

    def file_of(self, found: FoundCard) -> Path | None:
        """The card's model file: beside the card, else in any of the folders."""
        beside = found.path.parent / found.card.file
        candidates = [beside, *(folder / Path(found.card.file).name for folder in self._folders)]
        return next((path for path in candidates if is_file(path)), None)

    def card_by_sha256(self, sha256: str) -> FoundCard | None:
        """The card of a file with this content."""
        mark = sha256.encode()
        for path in self._card_files():
            if not _holds(path, mark):
                continue  # reading YAML takes a hundred times as long
            try:
                card = read_card(path)
            except ModelError:
                continue
            if card.sha256 == sha256:
                return FoundCard(card, path)
        return None

    def inspect(self, path: Path, *, trial: Trial | None, hints: Hints) -> Inspection:
        """Inspect a file; a card that describes this very file says what the file does not, and its labels.

        Labels that the hints name go before those of the card.
        """
        from edge.catalog.inspector import Hints, inspect_file

        known = self._known(path)
        if known is not None and not hints.labels:
            hints = Hints(hints.family, known.card.label_list(), f"the card {known.card.name}")
        found = inspect_file(path, trial=trial, hints=hints)
        if known is None:
            return found
        card = known.card
        return dataclasses.replace(
            found,
            licence=found.licence or card.licence,
            author=found.author or card.attribution,
            description=found.description or card.summary,
        )

    def _known(self, path: Path) -> FoundCard | None:
        try:
            content = read_bytes(path)
        except ModelError:
            return None  # the inspection says it better
        return self.card_by_sha256(hashlib.sha256(content).hexdigest())

    def _from_card(self, found: FoundCard, trial: Trial | None) -> Model:
        card, path = found.card, self.file_of(found)
        if path is None:
            raise ModelError(missing_file(found))
        wrong = matches_card(path, card)
        if wrong:
            raise ModelError(f"{path}: not the file that {found.path} describes: {wrong}. {_mend(card)}")
        sha256 = card.sha256 or hashlib.sha256(read_bytes(path)).hexdigest()
        if card.layout is not None:
            return card.as_model(path, sha256=sha256, layout=card.layout)
        finding = self._look(path, sha256, trial, card)
        return card.as_model(path, sha256=sha256, layout=finding.layout)

    def _from_file(self, path: Path, trial: Trial | None) -> Model:
        try:
            sha256 = hashlib.sha256(read_bytes(path)).hexdigest()
        except ModelError as error:
            raise type(error)(f"{path}: {error}") from error
        known = self.card_by_sha256(sha256)
        if known is not None and known.card.layout is not None:
            return known.card.as_model(path, sha256=sha256, layout=known.card.layout)
        found = self._look(path, sha256, trial, None if known is None else known.card)
        return bare_model(path, sha256, found.layout, found.labels)

    def _look(self, path: Path, sha256: str, trial: Trial | None, card: ModelCard | None) -> Finding:
        """What the file is, from memory if it was looked at before. Raises ModelError if it can't be run."""
        told = () if card is None else card.label_list()
        found = self._findings.recall(sha256, told) if self._findings else None
        if found is None:
            from edge.catalog.inspector import Hints, inspect_file
            from edge.catalog.trial import ChildTrial

            hints = Hints(labels=told, labels_from=f"the card {card.name}") if card else Hints()
            model = inspect_file(path, trial=trial or ChildTrial(), hints=hints).require()
            found = Finding(model.labels, model.layout)
            if self._findings and model.sha256 == sha256:
                self._findings.keep(sha256, told, found)
        return found

    def _card_files(self) -> list[Path]:
        return [path for folder in self._folders if is_folder(folder) for path in sorted(folder.glob("*.yaml"))]


def is_path(text: str) -> bool:
    """Whether a model argument means a file and not a card's name."""
    return os.sep in text or text.endswith((".tflite", ".yaml", ".yml")) or text.startswith("~")


def missing_file(found: FoundCard) -> str:
    """What to say when a card's file is not here."""
    card = found.card
    if card.origin is not None:
        return f"the file of the model {card.name} is not here yet; get it with: edge models pull {card.name}"
    return f"the model {card.name} ({found.path}) has no file {card.file} beside its card; put it there"


def _mend(card: ModelCard) -> str:
    if card.origin is not None:
        return f"Get it again with: edge models pull {card.name}"
    return "Restore the file, or inspect the new one (edge models inspect FILE --card OUT)"


def _holds(file: Path, mark: bytes) -> bool:
    try:
        with file.open("rb") as stream:
            return mark in stream.read(MAX_CARD_BYTES)
    except OSError:
        return False
