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
            name="image", width=256, height=256, dtype="int8", scale=0.003921568859368563, zero_point=-128
        ),
        outputs={
            "boxes": OutputLayout(
                name="Identity", index=0, shape=(1, 1344, 4), dtype="int8", scale=0.03432457521557808, zero_point=-121
            ),
            "scores": OutputLayout(
                name="Identity_1", index=1, shape=(1, 1344, 3), dtype="int8", scale=0.00390625, zero_point=-128
            ),
        },
        classes=3,
        transposed=True,
    )
    return Model("edge-default", path, sha256_of(path), layout, ("person", "vehicle", "animal"))


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
