"""Model cards: what a model is, where it comes from, how it is run. YAML files beside the models."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

from edge.catalog.content import unread
from edge.catalog.labels import read_labels
from edge.core.errors import ModelError
from edge.core.model import Model, ModelLayout
from edge.core.names import NAME_RULE, is_name
from edge.core.shared_files import shared_folder

MAX_CARD_BYTES = 1024 * 1024
_LIST_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
GitId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}$")]


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file in a public repository, pinned: the commit says which, the blob id proves it.

    git_blob : sha1 of ``b"blob <length>\\0"`` and the content, as git names it
    """

    repository: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]
    commit: GitId
    path: str
    git_blob: GitId


class ModelCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model.

    file : the model's file, beside the card or in another model folder
    labels : the labels in class order, or the name of a list in ``labels/``
    layout : absent until the file has been inspected (``edge models pull`` does)
    smaller : the card of a model that finds the same for less work
    quality : measured figures, each with its unit in the name
    """

    name: str
    summary: str
    file: str
    licence: str
    attribution: str = ""
    sha256: Sha256 | None = None
    origin: Origin | None = None
    twin: str | None = None
    smaller: str | None = None
    labels: str | tuple[str, ...]
    threshold: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5
    groups: dict[str, tuple[str, ...]] | None = None
    quality: dict[str, float] = {}
    limits: tuple[str, ...] = ()
    layout: ModelLayout | None = None

    def label_list(self) -> tuple[str, ...]:
        """The labels themselves. Raises ModelError if the list they name is not there."""
        if not isinstance(self.labels, str):
            return self.labels
        if not _LIST_NAME.fullmatch(self.labels):
            raise ModelError(f"card {self.name}: labels must be a list, or the name of a list in models/labels")
        return read_labels(shared_folder("models") / "labels" / f"{self.labels}.txt")

    def as_model(self, path: Path, *, sha256: str, layout: ModelLayout) -> Model:
        """The model behind the card, for a file that has been checked. Raises ModelError if labels do not fit."""
        labels = self.label_list()
        if len(labels) != layout.classes:
            raise ModelError(f"card {self.name}: {len(labels)} labels for {layout.classes} classes")
        return Model(
            name=self.name, path=path, sha256=sha256, layout=layout, labels=labels, threshold=self.threshold,
            groups=self.groups, twin=self.twin, smaller=self.smaller,
        )  # fmt: skip


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML without anchors (they can unfold without end) and without a key twice in one mapping."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "anchors and aliases are not allowed", None)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Raises
    ------
    ModelError
        With the file, the key, what was expected and what was found.
    """
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ModelError(f"{path}: larger than {MAX_CARD_BYTES} bytes; is it a model card?")
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
        card = msgspec.convert(content, ModelCard)
    except OSError as error:
        raise unread(f"{path}: the card cannot be read", error) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{path}: not a readable YAML file: {' '.join(str(error).split())}") from error
    except msgspec.ValidationError as error:
        raise ModelError(f"{path}: {error}") from error
    if not is_name(card.name):
        raise ModelError(f"{path}: name: expected {NAME_RULE}, found {card.name!r}")
    return card


def write_card(card: ModelCard) -> str:
    """The card as YAML, without what is absent."""
    content = _prune(msgspec.to_builtins(card))
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def _prune(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _prune(item) for key, item in value.items() if item not in (None, "", {}, [], ())}
    if isinstance(value, list | tuple):
        return [_prune(item) for item in value]
    return value
