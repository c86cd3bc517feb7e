"""A model that needs no file: it sees rectangles of pure colour, and answers as any family would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ModelError
from edge.core.model import Model, ModelLayout
from edge.core.values import Tensor
from tests.infer.encode import encode

# A pixel belongs to a rectangle when its colour is more than half way from grey to pure.
_HALF_WAY = 127.0
SCORES = (0.95, 0.85, 0.75)


class RectangleInterpreter:
    """An Interpreter whose three classes are pure red, green and blue, one rectangle of each at most.

    It reads nothing but the input tensor, so that wrong channels, a wrong place or wrong numbers show in its answer.
    """

    def __init__(self, layout: ModelLayout) -> None:
        self._layout = layout

    def invoke(self, values: Tensor) -> tuple[Tensor, ...]:
        pixels = self._pixels(values)
        boxes, class_ids = [], []
        for channel in range(3):
            others = [c for c in range(3) if c != channel]
            rows, columns = np.nonzero(pixels[..., channel] - pixels[..., others].max(axis=-1) > _HALF_WAY)
            if len(rows):
                boxes.append((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
                class_ids.append(channel % self._layout.classes)
        scores = np.array(SCORES[: len(boxes)])
        return encode(self._layout, np.array(boxes, np.float64).reshape(-1, 4), scores, np.array(class_ids, np.int64))

    def _pixels(self, values: Tensor) -> NDArray[np.float64]:
        into = self._layout.input
        expected = (1, into.height, into.width, 3) if into.axes == "nhwc" else (1, 3, into.height, into.width)
        if values.values.shape != expected or values.values.dtype != into.dtype:
            raise ModelError(
                f"the input must be {into.dtype} {expected}, found {values.values.dtype} {values.values.shape}"
            )
        picture = values.values[0] if into.axes == "nhwc" else values.values[0].transpose(1, 2, 0)
        real = picture.astype(np.float64)
        if into.scale:
            real = (real - into.zero_point) * into.scale
        return np.asarray(real * np.array(into.std) + np.array(into.mean))


def model_of(layout: ModelLayout) -> Model:
    """A model value around a layout, for parts that never touch its file."""
    return Model("rectangles", Path("rectangles.tflite"), "0" * 64, layout, ("red", "green", "blue"))
