"""What experience says of model files: which content ran well, which crashed, and a copy of the last good one."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import msgspec

from edge.catalog.content import read_bytes
from edge.core.errors import ModelError
from edge.core.kept_file import read_kept, sync_folder, write_kept
from edge.core.model import Model, ModelLayout

logger = logging.getLogger(__name__)

FILE = "model-trust.json"
COPY = "last-good.tflite"
_MOST_PINS = 32


class Pin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that no card describes, as it was when it first ran well."""

    sha256: str
    size: int
    modified_ns: int


class GoodModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All there is to know of the copy.

    asked : the name or path it was found by
    """

    asked: str
    name: str
    sha256: str
    layout: ModelLayout
    labels: tuple[str, ...]
    threshold: float
    groups: dict[str, tuple[str, ...]] | None = None
    twin: str | None = None


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """quarantined : sha256 -> why, in words"""

    schema: int = 1
    pins: dict[str, Pin] = {}
    quarantined: dict[str, str] = {}
    good: GoodModel | None = None


class Standing(Enum):
    FINE = "fine"
    CHANGED = "changed"  # another content than the pinned one, written since
    DAMAGED = "damaged"  # another content in a file that nobody has written since
    QUARANTINED = "quarantined"  # crashed again and again


@dataclass(frozen=True, slots=True)
class Judgement:
    standing: Standing
    words: str = ""


class ModelTrust:
    """One state folder's knowledge. What can't be kept is said once in the log, and goes on without.

    Written by the service; and by ``edge models use``, which a restart of the service follows.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = _Kept()

    def open(self) -> None:
        """Read what is known; nothing, where the file is missing or broken."""
        file = self._folder / FILE
        try:
            self._kept = read_kept(file, _Kept) or _Kept()
        except (OSError, ValueError) as error:
            logger.warning("%s: what is known of the models can't be read (%s); starting anew", file, error)

    def judge(self, model: Model, *, is_bare: bool) -> Judgement:
        """What speaks against running this content.

        Parameters
        ----------
        is_bare : no card vouches for the content, so the pin has to
        """
        if (why := self._kept.quarantined.get(model.sha256)) is not None:
            return Judgement(
                Standing.QUARANTINED, f"{model.path}: this content is not run any more: {why}; to try it again: "
                f"edge models use {model.path if is_bare else model.name}",
            )  # fmt: skip
        pin = self._kept.pins.get(str(model.path)) if is_bare else None
        if pin is None or pin.sha256 == model.sha256:
            return Judgement(Standing.FINE)
        shown = f"{model.path}: sha256 {model.sha256[:12]}..., it was {pin.sha256[:12]}... when it first ran well"
        if (pin.size, pin.modified_ns) == _stamp(model.path):
            return Judgement(
                Standing.DAMAGED, f"{shown}, and nobody has written the file since: the disk has damaged it; put a "
                "good copy there, and look at the card or disk",
            )  # fmt: skip
        return Judgement(Standing.CHANGED, f"{shown}; if that is meant: edge models use {model.path}")

    def last_good(self, asked: str | None = None) -> Model | None:
        """The copy of the last content that ran well; None when there is none. Its sha256 is checked at its load.

        Parameters
        ----------
        asked : it must have been found by this name or path; None = by any
        """
        good, path = self._kept.good, self._folder / COPY
        if good is None or not path.is_file() or asked not in (None, good.asked):
            return None
        return Model(
            name=good.name, path=path, sha256=good.sha256, layout=good.layout, labels=good.labels,
            threshold=good.threshold, groups=good.groups, twin=good.twin,
        )  # fmt: skip

    def trust(self, model: Model, *, asked: str, is_bare: bool) -> None:
        """This content has run well: pinned for the next time, and copied for the day when another does not.

        Parameters
        ----------
        asked : the name or path that led to it
        """
        kept = self._kept
        pins = {**kept.pins, str(model.path): _pin(model)} if is_bare else kept.pins
        quarantined = {sha256: why for sha256, why in kept.quarantined.items() if sha256 != model.sha256}
        fresh = msgspec.structs.replace(
            kept, pins=dict(list(pins.items())[-_MOST_PINS:]), quarantined=quarantined, good=self._copied(model, asked)
        )
        self._keep(fresh)

    def pardon(self, model: Model) -> None:
        """A person asks for this content, whatever it did or was before."""
        quarantined = {sha256: why for sha256, why in self._kept.quarantined.items() if sha256 != model.sha256}
        pins = {path: pin for path, pin in self._kept.pins.items() if path != str(model.path)}
        self._keep(msgspec.structs.replace(self._kept, quarantined=quarantined, pins=pins))

    def quarantine(self, model: Model, why: str) -> None:
        """This content is not run again until a person asks for it."""
        self._keep(msgspec.structs.replace(self._kept, quarantined={**self._kept.quarantined, model.sha256: why}))

    def _copied(self, model: Model, asked: str) -> GoodModel | None:
        """What is known of the copy, made now if it is not there; the one before where that fails."""
        before, path = self._kept.good, self._folder / COPY
        good = GoodModel(
            asked, model.name, model.sha256, model.layout, model.labels, model.threshold, model.groups, model.twin
        )
        if model.path == path or (before is not None and before.sha256 == model.sha256 and path.is_file()):
            return before
        try:
            _copy(model, path)
        except (OSError, ModelError) as error:
            logger.warning("%s: the model that runs can't be copied for a rainy day: %s", path, error)
            return before
        return good

    def _keep(self, fresh: _Kept) -> None:
        if fresh == self._kept:
            return
        self._kept = fresh
        try:
            write_kept(self._folder / FILE, fresh)
        except OSError as error:
            logger.warning("%s: what is known of the models can't be kept: %s", self._folder / FILE, error)


def _copy(model: Model, path: Path) -> None:
    content = read_bytes(model.path)
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise ModelError(f"{model.path} is not what was loaded any more")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _pin(model: Model) -> Pin:
    return Pin(model.sha256, *_stamp(model.path))


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of the last writing; zeros where the file is gone."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_size, state.st_mtime_ns
