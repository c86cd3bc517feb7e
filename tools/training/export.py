"""Weights to an int8 .tflite file, and how well the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edge.core.errors import EdgeError
from tools.training.graph import Graph, build_graph, run_graph
from tools.training.looking import Image, Run, letterbox, torch_run
from tools.training.network import make_cells
from tools.training.quantise import choose_steps, correct_biases, measure_ranges
from tools.training.state import Weights
from tools.training.tflite_file import TfliteWriter, attach

_BATCH = 8
_CORRECTING = 32  # pictures that biases are corrected on
_SAME = 1e-3  # scores and strides; folding the normalisation costs 1e-5


@dataclass(frozen=True, slots=True)
class Agreement:
    """int8 against the float network on pictures that were not used for the ranges; boxes in strides, of candidates
    that score 0.1 or more in either (where nothing is, distances mean nothing)."""

    pictures: int
    score_error_max: float
    score_error_mean: float
    box_error_mean: float
    score_correlation: float

    def as_figures(self) -> dict[str, float]:
        return {f"int8_{name}": round(value, 5) for name, value in asdict(self).items()}


def export(weights: Weights, images: Sequence[Image], *, size: int, author: str, licence: str) -> bytes:
    """The int8 file's content.

    author, licence : written into the file for `edge models inspect`; "" = not told
    images : for the ranges, such as the device will see; 100 to 300 of them
    """
    graph = build_graph(weights.network)
    squares = [letterbox(image, size)[0] for image in images]
    _check_graph(graph, weights, squares[:3], size=size)
    ranges = measure_ranges(graph, (_as_batch(squares[i : i + _BATCH]) for i in range(0, len(squares), _BATCH)))
    corrected = correct_biases(graph, _as_batch(squares[:: max(1, len(squares) // _CORRECTING)]))
    writer = TfliteWriter(corrected, shapes_of(graph, size), choose_steps(graph, ranges))
    labels = weights.classes.labels
    facts = {
        "names": dict(enumerate(labels)),
        "stride": 32,
        "author": author,
        "license": licence,
        "family": "ltrb",
        "groups": {label: list(names) for label, names in weights.classes.groups.items()},
        "pictures_seen": weights.seen,
    }
    return attach(writer.content(description=f"detector of {', '.join(labels)}, {size}x{size}"), labels, facts)


def _check_graph(graph: Graph, weights: Weights, squares: Sequence[Image], *, size: int) -> None:
    """Raise EdgeError where the file, still in floating point, does not compute what the network does."""
    content = TfliteWriter(graph, shapes_of(graph, size), None).content(description="floating point")
    file, network = tflite_outputs(content), _float_outputs(weights, size)
    for square in squares:
        apart = max(float(np.abs(a - b).max()) for a, b in zip(file(square), network(square), strict=True))
        if apart > _SAME:
            raise EdgeError(
                f"the exported graph is not the network: {apart:.3g} apart; graph.py takes a step of it for another"
            )


def shapes_of(graph: Graph, size: int) -> dict[str, tuple[int, ...]]:
    """Each value's shape on the device: channels last."""
    values = run_graph(graph, torch.zeros(1, 3, size, size))
    shapes = {}
    for name, value in values.items():
        shape = tuple(value.shape)
        shapes[name] = (1, shape[2], shape[3], shape[1]) if len(shape) == 4 else shape
    return shapes


def _as_batch(squares: Sequence[Image]) -> torch.Tensor:
    return torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255


def tflite_run(content: bytes, size: int) -> Run:
    """The file through the runtime, as `tools.training.looking` asks for it: boxes in pixels of the square."""
    raw = tflite_outputs(content)
    centres, strides = (v.numpy() for v in make_cells(size))

    def run(square: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        scores, distances = raw(square)
        pixels = distances * strides[:, None]
        return scores, np.concatenate([centres - pixels[:, :2], centres + pixels[:, 2:]], 1)

    return run


def tflite_outputs(content: bytes) -> Run:
    """(scores, distances in strides) of a square picture."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    into, outputs = interpreter.get_input_details()[0], interpreter.get_output_details()

    def real(details: dict[str, Any]) -> NDArray[np.float32]:
        values, (scale, zero_point) = interpreter.get_tensor(details["index"])[0], details["quantization"]
        return np.asarray((values.astype(np.float32) - zero_point) * (scale or 1.0), np.float32)

    def run(square: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        numbers = square.astype(np.float32) / 255 if into["dtype"] == np.float32 else (square ^ 0x80).view(np.int8)
        interpreter.set_tensor(into["index"], numbers[None])
        interpreter.invoke()
        scores, boxes = (real(details) for details in outputs)
        return scores, boxes

    return run


def measure_agreement(weights: Weights, content: bytes, images: Sequence[Image], *, size: int) -> Agreement:
    device, float_run = tflite_outputs(content), _float_outputs(weights, size)
    worst, errors, box_errors, pairs = 0.0, [], [], []
    for image in images:
        square = letterbox(image, size)[0]
        (scores, boxes), (float_scores, float_boxes) = device(square), float_run(square)
        apart = np.abs(scores - float_scores)
        worst = max(worst, float(apart.max()))
        errors.append(float(apart.mean()))
        busy = np.maximum(scores, float_scores).max(1) >= 0.1
        if busy.any():
            box_errors.append(np.abs(boxes[busy] - float_boxes[busy]).mean())
        pairs.append(np.stack([scores.ravel(), float_scores.ravel()]))
    correlation = float(np.corrcoef(np.concatenate(pairs, 1))[0, 1])
    box_error = float(np.mean(box_errors)) if box_errors else 0.0
    return Agreement(len(images), worst, float(np.mean(errors)), box_error, correlation)


def _float_outputs(weights: Weights, size: int) -> Run:
    centres, strides = (v.numpy() for v in make_cells(size))
    run = torch_run(weights.network, size, torch.device("cpu"))

    def outputs(square: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        scores, boxes = run(square)
        distances = np.concatenate([centres - boxes[:, :2], boxes[:, 2:] - centres], 1) / strides[:, None]
        return scores, distances

    return outputs


def write_file(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
