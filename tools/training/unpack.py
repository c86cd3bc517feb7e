"""Weights back out of a file that `tools/train export` wrote, so that training can go on from a shipped detector.

The file holds convolutions with their normalisation folded in. It is put back from what real pictures give, so that
the network computes the same before the first step, and keeps doing so while it learns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from torch import nn

from edge.core.errors import ConfigError
from tools.training.backbones import Conv
from tools.training.graph import Real
from tools.training.networks import Network

_CONVOLUTIONS = {schema.BuiltinOperator.CONV_2D: (0, 3, 1, 2), schema.BuiltinOperator.DEPTHWISE_CONV_2D: (3, 0, 1, 2)}

_TYPES = {schema.TensorType.INT8: np.int8, schema.TensorType.UINT8: np.uint8, schema.TensorType.INT32: np.int32}


def read_weights(path: Path) -> dict[str, tuple[Real, Real]]:
    """Weight (out, in, k, k) and bias of each convolution, by its name in the network, in the order they run.

    Raises ConfigError for a file that is missing or no .tflite file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror})") from error
    if content[4:8] != b"TFL3":
        raise ConfigError(f"{path}: expected a .tflite file that tools/train export wrote")
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph, found = model.subgraphs[0], {}
    for op in graph.operators:
        order = _CONVOLUTIONS.get(model.operatorCodes[op.opcodeIndex].builtinCode)
        if order is not None:
            weight, bias = (_real(model, graph.tensors[number]) for number in op.inputs[1:3])
            found[graph.tensors[op.outputs[0]].name.decode()] = weight.transpose(order), bias
    return found


def _real(model: Any, tensor: Any) -> Real:
    dtype = _TYPES.get(tensor.type, np.float32)
    data = model.buffers[tensor.buffer].data
    values = np.frombuffer(np.asarray(data, np.uint8).tobytes(), dtype).reshape(tensor.shape).astype(np.float32)
    steps = tensor.quantization
    if dtype is np.float32 or steps is None or steps.scale is None:
        return values
    shape = [1] * values.ndim
    shape[steps.quantizedDimension] = -1
    values -= np.asarray(steps.zeroPoint, np.float32).reshape(shape)
    return values * np.asarray(steps.scale, np.float32).reshape(shape)


def fill(network: Network, weights: dict[str, tuple[Real, Real]], *, origin: Path) -> list[str]:
    """Put the weights into a network; returns the names that stay new, because their shapes differ.

    Raises ConfigError for a file that this network's exporter did not write.
    """
    named = {name: module for name, module in network.named_modules() if isinstance(module, Conv | nn.Conv2d)}
    inner = {f"{name}.0" for name, module in named.items() if isinstance(module, Conv)}
    wanted = {name: module for name, module in named.items() if name not in inner}
    if not set(wanted) <= set(weights):
        raise ConfigError(f"{origin}: expected a file that tools/train export wrote, found other convolutions in it")
    return [name for name, module in wanted.items() if not fill_one(module, *weights[name])]


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
    convs = [module for module in network.modules() if isinstance(module, Conv) and len(module) == 3]
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
