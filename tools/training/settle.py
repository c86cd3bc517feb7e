"""Weights whose normalisation is folded in, put into a network that learns.

Normalisation is put back from what real pictures give, so that the network computes the same before the first step,
and keeps doing so while it learns. Nothing but PyTorch is needed: `fit` runs where the device's runtime is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from tools.training.backbones import Conv
from tools.training.graph import Real
from tools.training.networks import Network


def fill_one(module: nn.Module, weight: Real, bias: Real) -> bool:
    """False, and nothing done, where the shapes differ."""
    conv = module[0] if isinstance(module, Conv) else module
    assert isinstance(conv, nn.Conv2d)
    if conv.weight.shape != weight.shape:
        return False
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
        shift = torch.from_numpy(np.ascontiguousarray(bias))
        if isinstance(module, Conv):
            _make_identity(module[1], shift)
        else:
            assert conv.bias is not None
            conv.bias.copy_(shift)
    return True


def _make_identity(norm: nn.BatchNorm2d, bias: torch.Tensor) -> None:
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.fill_(1)
    norm.bias.copy_(bias)


@torch.no_grad()
def settle(network: Network, pictures: Iterable[torch.Tensor]) -> None:
    """Give each normalisation the mean and variance that its convolution has on these pictures; nothing else changes.

    pictures : batches [b, 3, s, s] in 0..1, such as the training will bring
    """
    sums: dict[nn.Module, torch.Tensor] = {}
    convs = [module for module in network.modules() if isinstance(module, Conv)]
    hooks = [module.register_forward_pre_hook(partial(_collect, sums)) for module in convs]
    network.eval()
    for batch in pictures:
        network(batch)
    for hook in hooks:
        hook.remove()
    for module in convs:
        count, total, squares = sums[module[0]]
        mean = total / count
        variance = (squares / count - mean**2).clamp(min=1e-6)
        norm = module[1]
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        shift = norm.bias - norm.running_mean * gain
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(gain * (norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(shift + mean * gain)


@torch.no_grad()
def settle_with_relu6(network: Network, pictures: Sequence[torch.Tensor]) -> None:
    """As `settle`, for weights that were trained with SiLU: each channel keeps the mean and variance that it had then.

    Without, what the new activation takes away from a layer adds up in the next ones, and the first steps unlearn much.
    """
    convs = [module for module in network.modules() if isinstance(module, Conv)]
    for module in convs:
        module[2] = nn.SiLU()
    settle(network, pictures)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in convs:
        module[2] = nn.ReLU6(inplace=True)
    before = norms[0].momentum
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of all batches
    network.train()
    for batch in pictures:
        network(batch)
    for norm in norms:
        norm.momentum = before


def _collect(sums: dict[nn.Module, torch.Tensor], module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    assert isinstance(module, Conv)
    conv = module[0]
    values = conv(*inputs).double()
    count = torch.full((values.shape[1],), values.numel() / values.shape[1], dtype=torch.float64)
    new = torch.stack([count.to(values.device), values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])
    sums[conv] = sums[conv] + new if conv in sums else new
