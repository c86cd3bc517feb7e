"""The trained network as a list of the device's operators, batch normalisation folded into the convolutions."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.fx
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from tools.training.backbones import Conv

Real = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One operator; values are known by name.

    kind : pad, conv, depthwise, add, double (nearest), pool (greatest of its neighbours), stack (channels of maps),
        parts (a map as four of half the size: rows, columns, channels),
        rows (a map to a list of cells), join (lists of cells), sigmoid
    weight : conv (out, in, k, k), depthwise (channels, 1, k, k)
    margin : of pad, cells on each side; kernel : of pool
    """

    kind: str
    inputs: tuple[str, ...]
    output: str
    weight: Real | None = None
    bias: Real | None = None
    stride: int = 1
    relu6: bool = False
    margin: int = 0
    kernel: int = 0


@dataclass(slots=True, eq=False)
class Graph:
    """Operators in the order they run. outputs: the names of scores (0..1) and boxes (distances in strides)."""

    input: str = "image"
    ops: list[Op] = field(default_factory=list)
    outputs: tuple[str, str] = ("scores", "boxes")

    def add(self, op: Op) -> str:
        self.ops.append(op)
        return op.output


def build_graph(network: nn.Module) -> Graph:
    """The same function as the network in evaluation mode, with the sigmoid of the scores inside.

    The network's own code is followed (torch.fx), so that there is nothing to keep in step with it. A convolution's
    value has the name of its module.
    """
    tracer = _Tracer()
    traced = tracer.trace(network)
    builder = _Builder(dict(network.named_modules()))
    for node in traced.nodes:
        if node.op == "output":
            logits, distances = (builder.names[value] for value in node.args[0])
            builder.graph.add(Op("sigmoid", (logits,), "scores"))
            return _renamed(builder.graph, {logits: "logits", distances: "boxes"})
        builder.add(node)
    raise TypeError("the network answers nothing")


def _renamed(graph: Graph, names: dict[str, str]) -> Graph:
    ops = [
        replace(op, inputs=tuple(names.get(one, one) for one in op.inputs), output=names.get(op.output, op.output))
        for op in graph.ops
    ]
    return Graph(graph.input, ops, graph.outputs)


class _Tracer(torch.fx.Tracer):
    """Goes into all modules but those that are one operator."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return isinstance(m, Conv | nn.Conv2d | nn.MaxPool2d)


class _Builder:
    """Adds the steps of a traced network to a graph; names: of the values by step."""

    def __init__(self, modules: dict[str, nn.Module]) -> None:
        self.graph = Graph()
        self.names: dict[torch.fx.Node, str] = {}
        self._modules = modules

    def add(self, node: torch.fx.Node) -> None:
        if node.op == "placeholder":
            self.names[node] = self.graph.input
        elif node.op == "call_module":
            self.names[node] = self._module(str(node.target), self.names[node.all_input_nodes[0]])
        else:
            self.names[node] = self._step(node)

    def _module(self, name: str, x: str) -> str:
        module = self._modules[name]
        if isinstance(module, nn.MaxPool2d):
            number = sum(op.kind == "pool" for op in self.graph.ops)
            return self.graph.add(Op("pool", (x,), f"{name}.{number}", kernel=int(module.kernel_size)))
        if isinstance(module, Conv):
            weight, bias = _folded(module)
            return _add_conv(self.graph, name, x, module[0], weight, bias, relu6=True)
        weight, bias = (p.detach().float().cpu().numpy() for p in (module.weight, module.bias))
        return _add_conv(self.graph, name, x, module, weight, bias, relu6=False)

    def _step(self, node: torch.fx.Node) -> str:
        inputs = tuple(self.names[one] for one in node.all_input_nodes)
        if node.target == "flatten":  # the first half of a list of cells; the other half follows at once
            return inputs[0]
        kinds = {operator.add: "add", F.interpolate: "double", "transpose": "rows"}
        if node.target is torch.cat:
            is_rows = all(op.kind == "rows" for op in self.graph.ops if op.output in inputs)
            kind = "join" if is_rows else "stack"
        elif node.target in kinds:
            kind = kinds[node.target]
        else:
            raise TypeError(f"{node.name}: the device's graph has no such step ({node.target})")
        return self.graph.add(Op(kind, inputs, node.name))


def _add_conv(graph: Graph, name: str, x: str, conv: nn.Module, weight: Real, bias: Real, *, relu6: bool) -> str:
    assert isinstance(conv, nn.Conv2d)
    stride = conv.stride[0]
    if stride == 2 and conv.kernel_size[0] == 6 and conv.groups == 1:
        # The same sums, as 3x3 of four quarter pictures: 12 channels fill the processor's registers, 3 don't.
        x, weight = graph.add(Op("parts", (x,), f"{name}.parts")), _parts(torch.from_numpy(weight)).numpy()
        return graph.add(Op("conv", (x,), name, weight, bias, 1, relu6))
    if stride == 2 and conv.kernel_size[0] % 2:  # TFLite's own "same" would pad the right and the bottom alone
        x = graph.add(Op("pad", (x,), f"{name}.pad", margin=int(conv.padding[0])))
    kind = "depthwise" if conv.groups > 1 else "conv"
    return graph.add(Op(kind, (x,), name, weight, bias, stride, relu6))


def _folded(module: Conv) -> tuple[Real, Real]:
    """Weights and bias of the convolution with its batch normalisation in them."""
    conv, norm = module[0], module[1]
    assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        weight = conv.weight.double() * gain[:, None, None, None]
        bias = norm.bias.double() - norm.running_mean.double() * gain
    return weight.float().cpu().numpy(), bias.float().cpu().numpy()


def whole_of_parts(weight: Real) -> Real:
    """The kernel of one picture out of that of its four parts: (out, 4 c, k, k) -> (out, c, 2 k, 2 k)."""
    outputs, parts, height, width = weight.shape
    cut = weight.reshape(outputs, 2, 2, parts // 4, height, width).transpose(0, 3, 4, 1, 5, 2)
    return np.ascontiguousarray(cut.reshape(outputs, parts // 4, 2 * height, 2 * width))


def _parts(x: torch.Tensor) -> torch.Tensor:
    batch, channels, height, width = x.shape
    cut = x.view(batch, channels, height // 2, 2, width // 2, 2).permute(0, 3, 5, 1, 2, 4)
    return cut.reshape(batch, 4 * channels, height // 2, width // 2)


@torch.no_grad()
def run_graph(graph: Graph, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every value of the graph for pictures [b, 3, s, s] in 0..1, in floating point."""
    values = {graph.input: pictures}
    for op in graph.ops:
        values[op.output] = run_op(op, [values[name] for name in op.inputs])
    return values


def run_op(op: Op, inputs: list[torch.Tensor]) -> torch.Tensor:
    x = inputs[0]
    if op.kind in {"conv", "depthwise"}:
        weight, bias = torch.from_numpy(op.weight), torch.from_numpy(op.bias)
        padding = 0 if op.stride == 2 and weight.shape[-1] % 2 else (weight.shape[-1] - 1) // 2
        x = F.conv2d(x, weight, bias, op.stride, padding, groups=len(weight) if op.kind == "depthwise" else 1)
        return x.clamp(0, 6) if op.relu6 else x
    ways = {
        "pad": lambda: F.pad(x, (op.margin,) * 4),
        "pool": lambda: F.max_pool2d(x, op.kernel, 1, op.kernel // 2),
        "add": lambda: x + inputs[1],
        "double": lambda: F.interpolate(x, scale_factor=2, mode="nearest"),
        "rows": lambda: x.flatten(2).transpose(1, 2),
        "parts": lambda: _parts(x),
        "join": lambda: torch.cat(inputs, 1),
        "stack": lambda: torch.cat(inputs, 1),
        "sigmoid": x.sigmoid,
    }
    return ways[op.kind]()
