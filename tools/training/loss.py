"""What training minimises: scores that tell how good the box is, and boxes that fit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from tools.training.assign import (
    Assignment,
    Targets,
    assign_by_place,
    assign_by_task,
    generalised_overlaps,
    ignored_cells,
)
from tools.training.network import to_boxes

BOX_WEIGHT = 3.0
# An easy "nothing here" counts a third: most cells are easy, and they would drown the objects.
EASY_WEIGHT = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """total = scores + 3 * boxes; each per object's worth of quality."""

    total: Tensor
    scores: Tensor
    boxes: Tensor


def detection_loss(
    logits: Tensor, distances: Tensor, centres: Tensor, strides: Tensor, targets: Targets, *, by_task: bool
) -> Loss:
    """Loss of one batch; float32 throughout.

    logits : (b, n, classes); distances : (b, n, 4) in strides
    """
    logits, boxes = logits.float(), to_boxes(distances.float(), centres, strides)
    said = logits.detach().sigmoid()
    asked, ignored = targets.select(~targets.ignored), targets.select(targets.ignored)
    found = _assign(said, boxes.detach(), centres, strides, asked, by_task=by_task)
    is_object = found.owner >= 0
    wanted = torch.zeros_like(logits)
    if len(asked.classes):
        classes = asked.classes[found.owner.clamp(min=0)]
        wanted.scatter_(2, classes[..., None], (found.quality * is_object)[..., None])
    silent = ignored_cells((*logits.shape,), centres, ignored) & ~is_object[..., None]
    weight = torch.where(wanted > 0, 1.0, EASY_WEIGHT + (1 - EASY_WEIGHT) * said) * ~silent
    worth = wanted.sum().clamp(min=1)
    scores = (F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * weight).sum() / worth
    owned = found.owner[is_object]
    misfit = 1 - generalised_overlaps(boxes[is_object], asked.boxes[owned])
    box = (misfit * found.quality[is_object]).sum() / worth
    return Loss(scores + BOX_WEIGHT * box, scores, box)


@torch.no_grad()
def _assign(
    scores: Tensor, boxes: Tensor, centres: Tensor, strides: Tensor, targets: Targets, *, by_task: bool
) -> Assignment:
    if not len(targets.boxes):
        shape = boxes.shape[:2]
        return Assignment(torch.full(shape, -1, device=boxes.device), torch.zeros(shape, device=boxes.device))
    if by_task:
        return assign_by_task(scores, boxes, centres, strides, targets)
    return assign_by_place(boxes, centres, strides, targets)
