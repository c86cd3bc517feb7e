"""A model file that no card describes: its file names it."""

from __future__ import annotations

from pathlib import Path

from edge.core.model import Model, ModelLayout
from edge.core.names import label_slug

# What its makers' demos use. Our own small model says less and means it: its card says so.
_THRESHOLD = 0.5


def bare_model(path: Path, sha256: str, layout: ModelLayout, labels: tuple[str, ...], *, name: str = "") -> Model:
    """The model in a file, as its inspection found it."""
    return Model(
        name=name or name_of(path), path=path, sha256=sha256, layout=layout, labels=labels, threshold=_THRESHOLD
    )


def name_of(path: Path) -> str:
    """A file's name as a model name: "My Model.tflite" -> "my_model"."""
    return label_slug(path.stem)
