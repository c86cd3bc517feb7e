"""A teacher's eyes: one picture seen in two sizes and in the mirror, and what is seen again and again told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tools.training.looking import Image, letterbox, torch_run
from tools.training.precision import Found, overlap_table

SIZES = (416, 608)
_SAME = 0.65  # two boxes of one class that overlap so far are one thing
_CANDIDATES = 400
_FLOOR = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class ManyLooks:
    network: nn.Module

    def watch(self, images: Iterable[Image], *, floor: float) -> Iterator[Found]:
        """Of each picture: boxes in its pixels, best first."""
        for image in images:
            seen = [self._look(image, size, mirrored=mirrored) for size in SIZES for mirrored in (False, True)]
            yield _merge(*(np.concatenate(part) for part in zip(*seen, strict=True)), image=image, floor=floor)

    def _look(self, image: Image, size: int, *, mirrored: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        square, scale, left, top = letterbox(image, size)
        run = torch_run(self.network, size, torch.device("cpu"))
        scores, boxes = run(np.ascontiguousarray(square[:, ::-1]) if mirrored else square)
        busy = scores.max(1) > _FLOOR
        scores, boxes = scores[busy], boxes[busy]
        if mirrored:
            boxes = np.stack([size - boxes[:, 2], boxes[:, 1], size - boxes[:, 0], boxes[:, 3]], 1)
        return scores, ((boxes - [left, top, left, top]) / scale).astype(np.float32)


def _merge(scores: NDArray[np.float32], boxes: NDArray[np.float32], *, image: Image, floor: float) -> Found:
    """Best first; the box is the mean of those that agree with it, by their scores."""
    kept: list[tuple[float, int, NDArray[np.float32]]] = []
    for class_id in range(scores.shape[1]):
        mine = np.flatnonzero(scores[:, class_id] >= floor)
        mine = mine[np.argsort(-scores[mine, class_id], kind="stable")][:_CANDIDATES]
        table, free = overlap_table(boxes[mine], boxes[mine]) > _SAME, np.ones(len(mine), np.bool_)
        for row, number in enumerate(mine):
            if free[row]:
                weights = scores[mine, class_id] * table[row]
                kept.append((float(scores[number, class_id]), class_id, weights @ boxes[mine] / weights.sum()))
                free &= ~table[row]
    kept.sort(key=lambda one: -one[0])
    limit = np.array([image.shape[1], image.shape[0]] * 2)
    return Found(
        np.array([box for _, _, box in kept], np.float32).reshape(-1, 4).clip(0, limit).astype(np.float32),
        np.array([score for score, _, _ in kept], np.float32),
        np.array([class_id for _, class_id, _ in kept], np.int64),
    )
