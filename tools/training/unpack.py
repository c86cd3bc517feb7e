"""Weights back out of a file that `tools/train export` wrote, so that training can go on from a shipped detector."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from torch import nn

from edge.core.errors import ConfigError
from tools.training.backbones import Conv
from tools.training.graph import Real, whole_of_parts
from tools.training.networks import Network
from tools.training.settle import fill_one

_CONVOLUTIONS = {schema.BuiltinOperator.CONV_2D: (0, 3, 1, 2), schema.BuiltinOperator.DEPTHWISE_CONV_2D: (3, 0, 1, 2)}

_TYPES = {schema.TensorType.INT8: np.int8, schema.TensorType.UINT8: np.uint8, schema.TensorType.INT32: np.int32}


def read_weights(path: Path) -> dict[str, tuple[Real, Real]]:
    """Weight (out, in, k, k) and bias of each convolution, by its name in the network, in the order they run.

    Raises ConfigError for a file that is missing, damaged or no .tflite file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror})") from error
    if content[4:8] != b"TFL3":
        raise ConfigError(f"{path}: expected a .tflite file that tools/train export wrote")
    try:
        return _convolutions(schema.ModelT.InitFromPackedBuf(content, 0))
    except (struct.error, IndexError, ValueError, TypeError, AttributeError) as error:  # what its reader meets
        raise ConfigError(f"{path}: a damaged .tflite file, or none that tools/train export wrote; {error}") from error


def _convolutions(model: Any) -> dict[str, tuple[Real, Real]]:
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
        raise ConfigError(
            f"{origin}: expected a file that tools/train export wrote, of this --network; found other convolutions"
        )
    new = []
    for name, module in wanted.items():
        weight, bias = weights[name]
        conv = module[0] if isinstance(module, Conv) else module
        if weight.shape[1] == 4 * conv.weight.shape[1]:
            weight = whole_of_parts(weight)
        if not fill_one(module, weight, bias):
            new.append(name)
    return new
