"""Learning from a teacher cell by cell: its maps, scores and boxes on the view that is trained on, undamaged."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from tools.training.assign import generalised_overlaps
from tools.training.loss import BOX_WEIGHT, EASY_WEIGHT
from tools.training.network import to_boxes

_HIGHEST = 6.0  # of ReLU6
_SURE = 0.1  # below, the teacher's boxes mean nothing


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Maps at strides 8, 16 and 32; logits (b, n, classes); distances (b, n, 4) in strides."""

    levels: tuple[Tensor, Tensor, Tensor]
    logits: Tensor
    distances: Tensor


def distillation_loss(mine: Seen, theirs: Seen, centres: Tensor, strides: Tensor) -> Tensor:
    """How far a network is from its teacher; float32 throughout. Maps count by their own size, as does the rest."""
    maps = torch.stack([_apart(a.float(), b.float()) for a, b in zip(mine.levels, theirs.levels, strict=True)]).sum()
    wanted, said = theirs.logits.float().sigmoid(), mine.logits.float()
    worth = wanted.sum().clamp(min=1)
    weight = torch.maximum(wanted, said.detach().sigmoid()) * (1 - EASY_WEIGHT) + EASY_WEIGHT
    scores = (F.binary_cross_entropy_with_logits(said, wanted, reduction="none") * weight).sum() / worth
    best = wanted.amax(2)
    sure = best > _SURE
    boxes, aims = (to_boxes(one.distances.float(), centres, strides)[sure] for one in (mine, theirs))
    misfit = ((1 - generalised_overlaps(boxes, aims)) * best[sure]).sum() / worth
    return maps + scores + BOX_WEIGHT * misfit


def _apart(mine: Tensor, theirs: Tensor) -> Tensor:
    """Mean square of the difference, against that of the teacher's map as ReLU6 would have it."""
    aim = theirs.clamp(0, _HIGHEST)
    return (mine - aim).square().mean() / aim.square().mean().clamp(min=1e-6)
