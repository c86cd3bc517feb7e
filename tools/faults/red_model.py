"""A model of some kilobytes that sees red things: for runs in which the model must not take the time.

Each of 4x4 cells is a box of its own, and what is red in it is its score; a thing that passes through the picture is
seen here and there, and lost in between, so that tracks come, go and are told.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge.catalog.cards import ModelCard, write_card
from edge.catalog.inspector import Hints, inspect_file
from edge.catalog.trial import ChildTrial
from tests.tflite_builder import TfliteBuilder

NAME = "red"
LABELS = ("person", "vehicle", "animal")
_PX, _CELLS = 64, 4
_THRESHOLD = 0.8  # grey of the made-up scenes is at most 0.26


def write_red_model(folder: Path) -> None:
    """The file and its card, as ``model: red`` in a folder that EDGE_MODELS names."""
    folder.mkdir(parents=True, exist_ok=True)
    file = build_red_model().write(folder / f"{NAME}.tflite")
    hints = Hints(labels=LABELS)
    model = inspect_file(file, trial=ChildTrial(), hints=hints).require()
    card = ModelCard(
        name=NAME, summary="sees what is red", file=file.name, licence="none", sha256=model.sha256,
        labels=model.labels, layout=model.layout, threshold=_THRESHOLD,
    )  # fmt: skip
    (folder / f"{NAME}.yaml").write_text(write_card(card), encoding="utf-8")


def build_red_model() -> TfliteBuilder:
    """As a graph, not written yet."""
    build = TfliteBuilder()
    image = build.input("image", (1, _PX, _PX, 3), "float32")
    count, side = _CELLS * _CELLS, 1 / _CELLS
    corners = np.array([(y * side, x * side) for y in range(_CELLS) for x in range(_CELLS)], np.float32)
    build.output("boxes", np.concatenate([corners, corners + side], axis=1)[None])
    build.output("classes", (np.arange(count) % len(LABELS)).astype(np.float32)[None])
    build.mark_output(_redness(build, image, count))
    build.output("count", np.array([count], np.float32))
    return build


def _redness(build: TfliteBuilder, image: int, count: int) -> int:
    """(1, count): the reddest pixel of each cell."""
    pool = schema.Pool2DOptionsT()
    pool.padding = schema.Padding.VALID
    pool.strideW = pool.strideH = pool.filterWidth = pool.filterHeight = _PX // _CELLS
    cells = build.op("MAX_POOL_2D", [image], name="cells", shape=(1, _CELLS, _CELLS, 3), dtype="float32", options=pool)
    begin = build.constant("begin", np.zeros(4, np.int32))
    size = build.constant("size", np.array([1, _CELLS, _CELLS, 1], np.int32))
    red = build.op("SLICE", [cells, begin, size], name="red", shape=(1, _CELLS, _CELLS, 1), dtype="float32")
    shape = build.constant("shape", np.array([1, count], np.int32))
    return build.op("RESHAPE", [red, shape], name="scores", shape=(1, count), dtype="float32")
