"""From real numbers to int8: ranges measured on pictures, one scale per tensor, one per channel for weights.

Source of the rules: TensorFlow Lite 8-bit quantisation specification.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tools.training.graph import Graph, Op, Real, run_graph, run_op

_LOW, _HIGH = -128, 127
_MOVING = frozenset({"pad", "double", "parts", "pool", "stack", "rows", "join"})
# Below, a score rounds to 0 (its step is 1/256): range spent there would only make the useful logits coarser.
_LEAST_LOGIT = -7.0


@dataclass(frozen=True, slots=True)
class Steps:
    """real = scale * (q - zero_point)"""

    scale: float
    zero_point: int


IMAGE_STEPS = Steps(1 / 255, -128)  # the device turns a byte into its number by one bit: byte - 128
SCORE_STEPS = Steps(1 / 256, -128)  # fixed by the operator


@dataclass(frozen=True, slots=True, eq=False)
class QuantisedWeights:
    """weight int8 in the operator's shape, scales (out,); bias int32, its scales input scale * weight scales."""

    weight: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.int32]


def measure_ranges(graph: Graph, pictures: Iterable[torch.Tensor]) -> dict[str, tuple[float, float]]:
    """(lowest, highest) of each value over all pictures."""
    ranges: dict[str, tuple[float, float]] = {}
    for batch in pictures:
        for name, value in run_graph(graph, batch).items():
            low, high = (float(v) for v in value.aminmax())
            known = ranges.get(name, (low, high))
            ranges[name] = min(low, known[0]), max(high, known[1])
    return ranges


def choose_steps(graph: Graph, ranges: dict[str, tuple[float, float]]) -> dict[str, Steps]:
    """The scale of each value. Values that an operator only moves about, or puts side by side, share one."""
    heads = {name: name for name in ranges}
    for op in graph.ops:
        if op.kind in _MOVING:
            for name in op.inputs:
                heads[_head(heads, name)] = _head(heads, op.output)
    shared: dict[str, tuple[float, float]] = {}
    for name, (low, high) in ranges.items():
        known = shared.get(head := _head(heads, name), (low, high))
        shared[head] = min(low, known[0]), max(high, known[1])
    logits = next(op.inputs[0] for op in graph.ops if op.kind == "sigmoid")
    low, high = shared[head := _head(heads, logits)]
    shared[head] = max(low, _LEAST_LOGIT), high
    steps = {name: _steps(*shared[_head(heads, name)]) for name in ranges}
    for name in ranges:
        if _head(heads, name) == _head(heads, graph.input):
            steps[name] = IMAGE_STEPS
    steps.update({op.output: SCORE_STEPS for op in graph.ops if op.kind == "sigmoid"})
    return steps


def _head(heads: dict[str, str], name: str) -> str:
    """Of the values that share a scale, the one that stands for all."""
    while heads[name] != name:
        name = heads[name]
    return name


def _steps(low: float, high: float) -> Steps:
    """Zero must be one of the numbers: padding is zero."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32(max(high - low, 1e-6) / (_HIGH - _LOW))
    return Steps(float(scale), int(np.clip(round(_LOW - low / float(scale)), _LOW, _HIGH)))


def quantise_weights(op: Op, *, input_scale: float) -> QuantisedWeights:
    """Weights symmetric per output channel, in TFLite's order: conv (out, k, k, in), depthwise (1, k, k, out)."""
    assert op.weight is not None and op.bias is not None
    scales = _channel_scales(op.weight)
    # A nearly dead channel's bias would leave int32's range: its scale is as small as the bias allows.
    scales = np.maximum(scales, np.abs(op.bias) / (input_scale * 2**30)).astype(np.float32)
    numbers = np.clip(np.round(op.weight / scales[:, None, None, None]), -127, 127).astype(np.int8)
    bias = np.round(op.bias.astype(np.float64) / (np.float64(input_scale) * scales)).astype(np.int32)
    return QuantisedWeights(in_device_order(op, numbers), scales, bias)


@torch.no_grad()
def correct_biases(graph: Graph, pictures: torch.Tensor) -> Graph:
    """The graph with biases that make up for the rounding of its weights: each channel's mean stays what it was.

    Rounded weights move a channel's mean, the next layers add to it: all logits of a MobileNet came out 0.04 lower.

    pictures : [b, 3, s, s], some 30 such as the device will see
    """
    exact, rounded, ops = {graph.input: pictures}, {graph.input: pictures}, []
    for op in graph.ops:
        before = [exact[name] for name in op.inputs]
        exact[op.output] = run_op(op, before)
        corrected = op
        if op.weight is not None and op.bias is not None:
            scales = _channel_scales(op.weight)[:, None, None, None]
            weight = (np.clip(np.round(op.weight / scales), -127, 127) * scales).astype(np.float32)
            sums = run_op(replace(op, weight=weight, relu6=False), [rounded[name] for name in op.inputs])
            shift = _shift(exact[op.output], sums, relu6=op.relu6).numpy()
            corrected = replace(op, bias=op.bias + shift)
            rounded[op.output] = run_op(replace(corrected, weight=weight), [rounded[name] for name in op.inputs])
        else:
            rounded[op.output] = run_op(op, [rounded[name] for name in op.inputs])
        ops.append(corrected)
    return Graph(graph.input, ops, graph.outputs)


def _shift(wanted: torch.Tensor, sums: torch.Tensor, *, relu6: bool) -> torch.Tensor:
    """What each channel lacks on average. Behind ReLU6 some of a shift is lost: asked for again, three times in all."""
    shift = torch.zeros(sums.shape[1])
    for _ in range(3 if relu6 else 1):
        moved = sums + shift[:, None, None]
        shift += (wanted - (moved.clamp(0, 6) if relu6 else moved)).mean((0, 2, 3))
    return shift


def _channel_scales(weight: Real) -> Real:
    return np.asarray(np.maximum(np.abs(weight).max((1, 2, 3)), 1e-8) / 127, np.float32)


def in_device_order(op: Op, weight: NDArray[Any]) -> NDArray[Any]:
    """From PyTorch's order of axes to TFLite's."""
    order = (1, 2, 3, 0) if op.kind == "depthwise" else (0, 2, 3, 1)
    return np.ascontiguousarray(weight.transpose(order))
