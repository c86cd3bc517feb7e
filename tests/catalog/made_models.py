"""Model files of every family with plausible numbers, and a trial that runs them in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.catalog.grid import cell_centres
from edge.catalog.inspector import Hints, Inspection, inspect_file
from edge.catalog.trial import TrialRun
from edge.infer.probe import run_once
from tests.tflite_builder import TfliteBuilder, plain

SIZE = (64, 64)
STRIDES = (8, 16, 32)
CELLS = 84  # 64 + 16 + 4


class InProcessTrial:
    """Runs the file with the real runtime, without a child: for files that a test made itself."""

    def run(self, file: Path, *, library: str = "") -> TrialRun:
        outputs, facts = run_once(file, library=library, threads=1)
        return TrialRun(tuple(outputs), facts["runtime"], facts["version"])


def inspect(build: TfliteBuilder, folder: Path, hints: Hints | None = None) -> Inspection:
    return inspect_file(build.write(folder / "model.tflite"), trial=InProcessTrial(), hints=hints)


def random() -> np.random.Generator:
    return np.random.default_rng(7)


def decoded_boxes(
    size: tuple[int, int] = SIZE, strides: Sequence[int] = STRIDES, *, pixels: bool = False
) -> NDArray[np.float32]:
    """(cells, 4) centre x, centre y, width, height near each cell's own place, as a decoded head gives them."""
    centres = cell_centres(*size, tuple(strides))
    centres = centres + random().normal(0, 0.02, centres.shape)
    sides = random().uniform(0.05, 0.4, centres.shape)
    scale = np.array(size * 2) if pixels else 1.0
    return (np.concatenate([centres, sides], axis=1) * scale).astype(np.float32)


def probabilities(cells: int, classes: int) -> NDArray[np.float32]:
    return (random().uniform(0, 1, (cells, classes)) ** 8).astype(np.float32)


def logits(cells: int, classes: int) -> NDArray[np.float32]:
    return random().normal(-5, 2, (cells, classes)).astype(np.float32)


def yolov8(
    *, classes: int = 80, transposed: bool = False, pixels: bool = False, size: tuple[int, int] = SIZE,
    strides: Sequence[int] = STRIDES,
) -> TfliteBuilder:  # fmt: skip
    boxes = decoded_boxes(size, strides, pixels=pixels)
    table = np.concatenate([boxes, probabilities(len(boxes), classes)], axis=1)
    return plain({"Identity": (table if transposed else table.T)[None]}, size=size)


def yolov5(*, classes: int = 80, pixels: bool = False, strides: Sequence[int] = STRIDES) -> TfliteBuilder:
    boxes = np.repeat(decoded_boxes(SIZE, strides, pixels=pixels), 3, axis=0)
    table = np.concatenate([boxes, probabilities(len(boxes), classes + 1)], axis=1)
    return plain({"Identity": table[None]})


def yolox(*, classes: int = 80, raw: bool = False) -> TfliteBuilder:
    boxes = random().normal(0, 0.5, (CELLS, 4)).astype(np.float32) if raw else decoded_boxes(pixels=True)
    table = np.concatenate([boxes, probabilities(CELLS, classes + 1)], axis=1)
    return plain({"Identity": table[None]})


def ltrb(*, classes: int = 3, strides: Sequence[int] = STRIDES) -> TfliteBuilder:
    cells = len(cell_centres(*SIZE, tuple(strides)))
    distances = random().uniform(0, 6, (1, cells, 4)).astype(np.float32)
    return plain({"boxes": distances, "scores": probabilities(cells, classes)[None]})


def dfl(*, classes: int = 80, transposed: bool = True, scores_first: bool = False) -> TfliteBuilder:
    boxes = random().normal(0, 2, (CELLS, 64)).astype(np.float32)
    tables = {"boxes": boxes, "scores": logits(CELLS, classes)}
    names = sorted(tables, reverse=scores_first)
    return plain({f"out_{name}": (tables[name] if transposed else tables[name].T)[None] for name in names})


def end2end(*, pixels: bool = True, rows: int = 300) -> TfliteBuilder:
    corners = np.sort(random().uniform(0, 60 if pixels else 1, (rows, 2, 2)), axis=1).reshape(rows, 4)
    rest = np.stack([np.linspace(0.9, 0.01, rows), np.arange(rows) % 80], axis=1)
    return plain({"Identity": np.concatenate([corners, rest], axis=1)[None].astype(np.float32)})


def anchors(count: int) -> NDArray[np.float32]:
    centres, sides = random().uniform(0, 1, (count, 2)), random().uniform(0.05, 0.5, (count, 2))
    return np.concatenate([centres, sides], axis=1).astype(np.float32)


def raw_ssd(*, count: int, columns: int, with_anchors: str = "", size: tuple[int, int] = SIZE) -> TfliteBuilder:
    """``with_anchors``: "output", "constant" or "" (none in the file)."""
    encodings = random().normal(0, 2, (1, count, 4)).astype(np.float32)
    outputs = {"raw_boxes": encodings, "raw_scores": probabilities(count, columns)[None]}
    if with_anchors == "output":
        outputs["anchors"] = anchors(count)
    build = plain(outputs, size=size)
    if with_anchors == "constant":
        build.constant("anchors", anchors(count))
    return build


def blazeface(*, count: int, size: int) -> TfliteBuilder:
    regressors = random().normal(0, 20, (1, count, 16)).astype(np.float32)
    return plain({"regressors": regressors, "classificators": logits(count, 1)[None]}, size=(size, size))


def postprocess_parts(*, classes: int = 90, count: int = 30) -> dict[str, NDArray[np.float32]]:
    """Encodings, class scores with the background first, and anchors."""
    return {
        "encodings": random().normal(0, 1, (1, count, 4)).astype(np.float32),
        "scores": probabilities(count, classes + 1)[None],
        "anchors": anchors(count),
    }
