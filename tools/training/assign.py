"""Which cells answer for which object, for a whole batch at once.

All objects of the batch stand in one list (t of them, with the picture each belongs to), so that a picture with few
objects costs little and no loop runs over pictures. Two rules: by place and size, which teaches from the first step
(FCOS, Tian et al. 2019), and by what the network already does best (TOOD, Feng et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Sizes (square root of the area, pixels) that each stride answers for; they overlap, as either level can do it.
_SIZES = {8: (0.0, 48.0), 16: (36.0, 110.0), 32: (84.0, 1e5)}
_RADIUS = 1.5  # strides around an object's middle
_LEAST_QUALITY = 0.4  # a new network's boxes are bad: its cells must not be asked for nothing
_BEST = 10  # cells per object, task-aligned
_TINY_PX = 12.0  # smaller objects may have no cell inside
_FAR = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The batch's objects in one list: picture (t,), boxes (t, 4), classes (t,), ignored (t,)."""

    picture: Tensor
    boxes: Tensor
    classes: Tensor
    ignored: Tensor

    def to(self, device: torch.device) -> Targets:
        return Targets(
            *(v.to(device, non_blocking=True) for v in (self.picture, self.boxes, self.classes, self.ignored))
        )

    def select(self, mask: Tensor) -> Targets:
        return Targets(self.picture[mask], self.boxes[mask], self.classes[mask], self.ignored[mask])


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """owner (b, n): the object's place in the list, or -1; quality (b, n): the score to be reached, 0 where none."""

    owner: Tensor
    quality: Tensor


def overlaps(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes [..., 4], broadcast."""
    return _iou_parts(a, b)[0]


def generalised_overlaps(a: Tensor, b: Tensor) -> Tensor:
    """GIoU (Rezatofighi et al. 2019): tells how far apart boxes are that do not touch."""
    iou, union = _iou_parts(a, b)
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    area = hull.clamp(min=0).prod(-1) + 1e-6
    return iou - (area - union) / area


def _iou_parts(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).clamp(min=0).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common + 1e-6
    return common / union, union


def assign_by_place(boxes: Tensor, centres: Tensor, strides: Tensor, targets: Targets) -> Assignment:
    """Cells near an object's middle, on the level of its size; of several objects the smallest.

    boxes : (b, n, 4) what the network says, in pixels
    """
    sides = targets.boxes[:, 2:] - targets.boxes[:, :2]
    size = sides.prod(1).clamp(min=1).sqrt()
    bounds = torch.tensor([_SIZES[int(s)] for s in _SIZES], device=boxes.device)
    level = (strides / 16).log2().long() + 1  # 8, 16, 32 -> 0, 1, 2
    low, high = bounds[level].unbind(1)
    on_level = (size[:, None] >= low) & (size[:, None] < high)
    middle = (targets.boxes[:, :2] + targets.boxes[:, 2:]) / 2
    away = (centres[None] - middle[:, None]).abs().amax(-1)
    mask = on_level & (_inset(centres, targets.boxes) > 0) & (away < _RADIUS * strides)
    # Some object has no cell at all inside: the nearest of its level answers.
    nearest = torch.where(on_level, away, _FAR).argmin(1)
    mask[torch.arange(len(mask), device=mask.device), nearest] |= ~mask.any(1)
    owner = _cheapest(mask, sides.prod(1)[:, None].expand_as(away), targets.picture, len(boxes))
    return Assignment(owner, _quality_of(owner, boxes, targets).clamp(min=_LEAST_QUALITY) * (owner >= 0))


def assign_by_task(scores: Tensor, boxes: Tensor, centres: Tensor, strides: Tensor, targets: Targets) -> Assignment:
    """The cells whose score and box fit an object best: sqrt(score) * iou^4.

    scores : (b, n, classes) 0..1; boxes : (b, n, 4) pixels
    """
    sides = targets.boxes[:, 2:] - targets.boxes[:, :2]
    middle = (targets.boxes[:, :2] + targets.boxes[:, 2:]) / 2
    near = ((centres[None] - middle[:, None]).abs().amax(-1) <= strides) & (sides.amin(1) < _TINY_PX)[:, None]
    allowed = (_inset(centres, targets.boxes) > 0) | near
    iou = overlaps(boxes[targets.picture], targets.boxes[:, None])
    said = scores.transpose(1, 2)[targets.picture, targets.classes]
    fit = said.clamp(min=1e-6).sqrt() * iou.clamp(min=1e-4) ** 4 * allowed
    best, places = fit.topk(min(_BEST, fit.shape[1]), 1)
    mask = torch.zeros_like(allowed).scatter_(1, places, best > 0)
    owner = _cheapest(mask, 1 - iou, targets.picture, len(boxes))
    mine = mask & (owner[targets.picture] == torch.arange(len(mask), device=mask.device)[:, None])
    fit, reached = fit * mine, (iou * mine).amax(1, keepdim=True).clamp(min=0.05)
    share = fit / (fit.amax(1, keepdim=True) + 1e-12) * reached
    quality = torch.zeros_like(owner, dtype=share.dtype)
    quality.scatter_reduce_(0, targets.picture[:, None].expand_as(share), share, "amax")
    return Assignment(owner, quality)


def ignored_cells(shape: tuple[int, int, int], centres: Tensor, targets: Targets) -> Tensor:
    """(b, n, classes) bool: inside a box of which nothing is asked, for its class alone."""
    pictures, cells, classes = shape
    inside = (_inset(centres, targets.boxes) > 0).to(torch.uint8)
    flat = torch.zeros(pictures * classes, cells, dtype=torch.uint8, device=centres.device)
    row = targets.picture * classes + targets.classes
    flat.scatter_reduce_(0, row[:, None].expand_as(inside), inside, "amax")
    return flat.view(pictures, classes, cells).transpose(1, 2).bool()


def _inset(centres: Tensor, boxes: Tensor) -> Tensor:
    """(t, n): how far inside each box each cell's middle is, pixels; negative outside."""
    return torch.minimum(
        (centres[None] - boxes[:, None, :2]).amin(-1),
        (boxes[:, None, 2:] - centres[None]).amin(-1),
    )


def _cheapest(mask: Tensor, cost: Tensor, picture: Tensor, pictures: int) -> Tensor:
    """(b, n): of the objects that want a cell, the place of the one with the least cost; the first of equals; -1."""
    objects, cells = mask.shape
    where = picture[:, None].expand_as(mask)
    cost = torch.where(mask, cost, _FAR)
    least = torch.full((pictures, cells), _FAR, device=mask.device, dtype=cost.dtype)
    least.scatter_reduce_(0, where, cost, "amin")
    wins = mask & (cost == least[picture])
    place = torch.where(wins, torch.arange(objects, device=mask.device)[:, None], objects)
    owner = torch.full((pictures, cells), objects, device=mask.device, dtype=place.dtype)
    owner.scatter_reduce_(0, where, place, "amin")
    return torch.where(owner == objects, -1, owner)


def _quality_of(owner: Tensor, boxes: Tensor, targets: Targets) -> Tensor:
    """(b, n): how well each owned cell's box covers its object."""
    if not len(targets.boxes):
        return torch.zeros_like(owner, dtype=boxes.dtype)
    return overlaps(boxes, targets.boxes[owner.clamp(min=0)])
