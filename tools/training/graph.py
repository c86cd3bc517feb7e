"""The trained network as a list of the device's operators, batch normalisation folded into the convolutions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from tools.training.backbones import AT_8, AT_16, Conv, MobileBackbone, Stage
from tools.training.network import STRIDES, Detector, Tower

Real = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One operator; values are known by name.

    kind : pad, conv, depthwise, add, double (nearest), rows (maps to a list of cells), join, sigmoid
    weight : conv (out, in, k, k), depthwise (channels, 1, k, k)
    """

    kind: str
    inputs: tuple[str, ...]
    output: str
    weight: Real | None = None
    bias: Real | None = None
    stride: int = 1
    relu6: bool = False


@dataclass(slots=True, eq=False)
class Graph:
    """Operators in the order they run. outputs: the names of scores (0..1) and boxes (distances in strides)."""

    input: str = "image"
    ops: list[Op] = field(default_factory=list)
    outputs: tuple[str, str] = ("scores", "boxes")

    def add(self, op: Op) -> str:
        self.ops.append(op)
        return op.output


def build_graph(network: Detector) -> Graph:
    """The same function as the network in evaluation mode, with the sigmoid of the scores inside."""
    builder = _Builder(network)
    graph, conv, add, double = builder.graph, builder.conv, builder.add, builder.double
    is_mobile = isinstance(network.backbone, MobileBackbone)
    c8, c16, c32 = builder.mobile_backbone() if is_mobile else builder.plain_backbone()
    p32 = conv("lateral32", c32)
    p16 = conv("smooth16", add(conv("lateral16", c16), double(p32), "top16"))
    p8 = conv("smooth8", add(conv("lateral8", c8), double(p16), "top8"))
    p16 = add(p16, conv("down16", p8), "level16")
    p32 = add(p32, conv("down32", p16), "level32")
    logits = _add_towers(graph, "scores", network.scores, (p8, p16, p32), conv)
    distances = _add_towers(graph, "boxes", network.boxes, (p8, p16, p32), conv)
    graph.add(Op("join", logits, "logits"))
    graph.add(Op("sigmoid", ("logits",), "scores"))
    graph.add(Op("join", distances, "boxes"))
    return graph


class _Builder:
    """Adds the network's parts, by their names, to a graph."""

    def __init__(self, network: Detector) -> None:
        self.graph = Graph()
        self._network = network
        self._named = dict(network.named_modules())

    def conv(self, name: str, x: str) -> str:
        module = self._named[name]
        if not isinstance(module, Conv):
            raise TypeError(f"{name}: expected a Conv, found {type(module).__name__}")
        weight, bias = _folded(module)
        return _add_conv(self.graph, name, x, module[0], weight, bias, relu6=len(module) == 3)

    def add(self, one: str, other: str, name: str) -> str:
        return self.graph.add(Op("add", (one, other), name))

    def double(self, x: str) -> str:
        return self.graph.add(Op("double", (x,), f"{x}.double"))

    def plain_backbone(self) -> tuple[str, str, str]:
        x = self._stage("backbone.stage4", self.conv("backbone.stem", self.graph.input))
        c8 = self._stage("backbone.stage8", x)
        c16 = self._stage("backbone.stage16", c8)
        return c8, c16, self._stage("backbone.stage32", c16)

    def _stage(self, name: str, x: str) -> str:
        module = self._named[name]
        assert isinstance(module, Stage)
        x = self.conv(f"{name}.0", x)
        for number in range(1, len(module)):
            inner = self.conv(f"{name}.{number}.widen", self.conv(f"{name}.{number}.narrow", x))
            x = self.add(x, inner, f"{name}.{number}")
        return x

    def mobile_backbone(self) -> tuple[str, str, str]:
        backbone = self._network.backbone
        assert isinstance(backbone, MobileBackbone)
        x, widest = self.conv("backbone.stem", self.graph.input), {}
        for number, block in enumerate(backbone.layers):
            name = f"backbone.blocks.{number}"
            wide = self.conv(f"{name}.expand", x) if isinstance(block.expand, Conv) else x
            inner = self.conv(f"{name}.project", self.conv(f"{name}.depth", wide))
            x, widest[number] = self.add(x, inner, name) if block.is_residual else inner, wide
        return widest[AT_8], widest[AT_16], x


def _add_towers(
    graph: Graph, name: str, towers: nn.ModuleList, levels: tuple[str, ...], conv: object
) -> tuple[str, ...]:
    rows = []
    for number in range(len(STRIDES)):
        tower, x, path = towers[number], levels[number], f"{name}.{number}"
        assert isinstance(tower, Tower) and callable(conv)
        for step in range(4):
            x = conv(f"{path}.{step}", x)
        last = tower[4]
        weight, bias = (p.detach().float().cpu().numpy() for p in (last.weight, last.bias))
        x = _add_conv(graph, f"{path}.4", x, last, weight, bias, relu6=False)
        rows.append(graph.add(Op("rows", (x,), f"{path}.rows")))
    return tuple(rows)


def _add_conv(graph: Graph, name: str, x: str, conv: nn.Module, weight: Real, bias: Real, *, relu6: bool) -> str:
    assert isinstance(conv, nn.Conv2d)
    stride = conv.stride[0]
    if stride == 2:  # TFLite's own "same" would pad the right and the bottom alone
        x = graph.add(Op("pad", (x,), f"{name}.pad"))
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
        padding = 0 if op.stride == 2 else weight.shape[-1] // 2
        x = F.conv2d(x, weight, bias, op.stride, padding, groups=len(weight) if op.kind == "depthwise" else 1)
        return x.clamp(0, 6) if op.relu6 else x
    ways = {
        "pad": lambda: F.pad(x, (1, 1, 1, 1)),
        "add": lambda: x + inputs[1],
        "double": lambda: F.interpolate(x, scale_factor=2, mode="nearest"),
        "rows": lambda: x.flatten(2).transpose(1, 2),
        "join": lambda: torch.cat(inputs, 1),
        "sigmoid": x.sigmoid,
    }
    return ways[op.kind]()
