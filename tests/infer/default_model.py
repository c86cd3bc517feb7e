"""The model that comes with the program, with its layout written by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge.core.model import Family, InputLayout, Model, ModelLayout, OutputLayout
from edge.core.shared_files import shared_folder

PATH = shared_folder("models") / "edge-default.tflite"


def default_model(path: Path = PATH) -> Model:
    layout = ModelLayout(
        family=Family.LTRB,
        input=InputLayout(
            name="image", width=288, height=288, dtype="int8", scale=0.003921568859368563, zero_point=-128
        ),
        outputs={
            "boxes": OutputLayout(
                name="boxes", index=1, shape=(1, 1701, 4), dtype="int8", scale=0.03530838340520859, zero_point=-113
            ),
            "scores": OutputLayout(
                name="scores", index=0, shape=(1, 1701, 2), dtype="int8", scale=0.00390625, zero_point=-128
            ),
        },
        classes=2,
        transposed=True,
    )
    return Model("edge-default", path, sha256_of(path), layout, ("person", "vehicle"))


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
