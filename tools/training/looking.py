"""What the network being trained sees in pictures: letterbox, run, decode, NMS, as the device does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tools.training.augment import GREY
from tools.training.network import make_cells, to_boxes
from tools.training.precision import Found, overlap_table

_FLOOR, _NMS_IOU, _CANDIDATES, _KEPT = 0.01, 0.5, 300, 100
Image = NDArray[np.uint8]
# (s, s, 3) uint8 -> scores (n, classes), boxes (n, 4) in pixels of the square
Run = Callable[[Image], tuple[NDArray[np.float32], NDArray[np.float32]]]


def letterbox(image: Image, size: int) -> tuple[Image, float, int, int]:
    """(square picture, scale, left, top): the longer side fills the square, the rest is grey."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    square = np.full((size, size, 3), GREY, np.uint8)
    square[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    return square, scale, left, top


def torch_run(network: nn.Module, size: int, device: torch.device) -> Run:
    centres, strides = make_cells(size, device)

    @torch.no_grad()
    def run(square: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        picture = torch.from_numpy(square).to(device).permute(2, 0, 1)[None].float() / 255
        logits, distances = network(picture)
        boxes = to_boxes(distances[0].float(), centres, strides)
        return logits[0].float().sigmoid().cpu().numpy(), boxes.cpu().numpy()

    return run


def look_at_all(run: Run, images: Sequence[Image], size: int) -> list[Found]:
    return [look(run, image, size) for image in images]


def look(run: Run, image: Image, size: int) -> Found:
    """Boxes in the picture's own pixels, every class above a low floor."""
    square, scale, left, top = letterbox(image, size)
    scores, boxes = run(square)
    kept: list[tuple[float, int, NDArray[np.float32]]] = []
    for class_id in range(scores.shape[1]):
        mine = np.flatnonzero(scores[:, class_id] > _FLOOR)
        order = mine[np.argsort(-scores[mine, class_id], kind="stable")][:_CANDIDATES]
        kept += [(float(scores[i, class_id]), class_id, boxes[i]) for i in order[_suppress(boxes[order])]]
    kept = sorted(kept, key=lambda one: -one[0])[:_KEPT]
    placed = (np.array([box for _, _, box in kept], np.float32).reshape(-1, 4) - [left, top, left, top]) / scale
    limit = np.array([image.shape[1], image.shape[0]] * 2)
    return Found(
        placed.clip(0, limit).astype(np.float32),
        np.array([score for score, _, _ in kept], np.float32),
        np.array([class_id for _, class_id, _ in kept], np.int64),
    )


def _suppress(boxes: NDArray[np.float32]) -> list[int]:
    """Greedy NMS of boxes that come best first."""
    table, kept = overlap_table(boxes, boxes) > _NMS_IOU, list[int]()
    gone = np.zeros(len(boxes), np.bool_)
    for i in range(len(boxes)):
        if not gone[i]:
            kept.append(i)
            gone |= table[i]
    return kept
