"""Weights out of ncnn's two files (NAME.param, NAME.bin): the form in which YOLOX-nano's are small enough to find.

Source of the form: ncnn's wiki, "param and model file structure".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from edge.core.errors import ConfigError
from tools.training.backbones import Conv
from tools.training.csp import CspDetector
from tools.training.graph import Real
from tools.training.settle import fill_one

_MAGIC = "7767517"
_HALF, _WHOLE = 0x01306B47, 0  # what stands in front of weights in float16, in float32
_LIMIT = 64 << 20
# What YOLOX's first weights were trained on: pictures with ImageNet's mean taken off, by its deviation.
_MEAN, _DEVIATION = (np.array(v, np.float32)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """weight (out, in, k, k); bias (out,)."""

    name: str
    weight: Real
    bias: Real


def read_convolutions(param: Path) -> list[Convolution]:
    """All of a file's, in the order they run. Raises ConfigError for files that are missing, others or damaged."""
    path = param.with_suffix(".bin")
    try:
        if max(param.stat().st_size, path.stat().st_size) > _LIMIT:
            raise ConfigError(f"{param}: larger than {_LIMIT >> 20} MB; expected a small network's weights")
        text, data = param.read_text(encoding="utf-8"), path.read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{param}: expected ncnn's NAME.param with NAME.bin beside it; {error}") from error
    lines = text.split("\n")
    if lines[0].strip() != _MAGIC:
        raise ConfigError(f"{param}: expected ncnn's description of a network ({_MAGIC} in its first line)")
    found, at = [], 0
    try:
        for line in lines[2:]:
            words = line.split()
            if words and words[0] in {"Convolution", "ConvolutionDepthWise"}:
                one, at = _read_one(words, data, at)
                found.append(one)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ConfigError(f"{path}: does not fit {param.name} at byte {at}: {error}") from error
    if at != len(data):
        raise ConfigError(f"{path}: {len(data) - at} bytes are left; {param.name} has other layers with weights")
    return found


def _read_one(words: list[str], data: bytes, at: int) -> tuple[Convolution, int]:
    settings = dict(word.split("=") for word in words[4 + int(words[2]) + int(words[3]) :])
    outputs, kernel, count = (int(settings[key]) for key in ("0", "1", "6"))
    form = int.from_bytes(data[at : at + 4], "little")
    if form not in {_HALF, _WHOLE}:
        raise ValueError(f"{words[1]} has weights in a form of its own ({form:#x})")
    dtype = np.dtype("<f2" if form == _HALF else "<f4")
    weight = np.frombuffer(data, dtype, count, at + 4).astype(np.float32).reshape(outputs, -1, kernel, kernel)
    at += 4 + -(-count * dtype.itemsize // 4) * 4
    bias = np.frombuffer(data, "<f4", outputs, at).astype(np.float32)
    return Convolution(words[1], weight, bias), at + 4 * outputs


def fill_csp(network: CspDetector, found: Sequence[Convolution], *, origin: Path) -> list[str]:
    """Put YOLOX-nano's weights in; returns the names that stay new: what is asked for is another thing there.

    Raises ConfigError for weights of another network.
    """
    new = []
    for name, module, weight, bias in _pairs(network, found, origin):
        if name.endswith((".kind", ".sides")):
            new.append(name)
        elif name.endswith(".presence"):  # theirs is one for all classes
            classes = len(module.weight)
            _put(module, np.repeat(weight, classes, 0), np.repeat(bias, classes, 0), name, origin)
        else:
            _put(module, weight, bias, name, origin)
    for head in network.heads:
        nn.init.constant_(head.kind.bias, 0.0)  # that little is there at all, the other half says
    return new


def fill_all(network: CspDetector, found: Sequence[Convolution], *, origin: Path) -> None:
    """Put all of YOLOX-nano's weights into a network with its own last layers. Raises ConfigError."""
    for name, module, weight, bias in _pairs(network, found, origin):
        _put(module, weight, bias, name, origin)


def _put(module: nn.Module, weight: Real, bias: Real, name: str, origin: Path) -> None:
    if not fill_one(module, weight, bias):
        raise ConfigError(f"{origin}: {[*weight.shape]} is not the shape of YOLOX-nano's {name}")


def _pairs(
    network: CspDetector, found: Sequence[Convolution], origin: Path
) -> Iterator[tuple[str, nn.Module, Real, Real]]:
    """(name here, module, weight, bias): the modules stand in the order of the file."""
    inner = {f"{name}.0" for name, module in network.named_modules() if isinstance(module, Conv)}
    parts = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, Conv | nn.Conv2d) and name not in inner
    ]
    if len(found) != len(parts):
        raise ConfigError(f"{origin}: expected YOLOX-nano's {len(parts)} convolutions, found {len(found)}")
    for (name, module), one in zip(parts, found, strict=True):
        weight, bias = _whole_stem(one.weight, one.bias) if name == "backbone.stem" else (one.weight, one.bias)
        yield name, module, weight, bias


def _whole_stem(weight: Real, bias: Real) -> tuple[Real, Real]:
    """YOLOX parts a picture into four of half the size first (12 channels); 6x6 of the whole one is the same.

    So are pictures in 0..1 where theirs were normalised.
    """
    if weight.shape[1:] != (12, 3, 3):
        return weight, bias
    whole = np.zeros((len(weight), 3, 6, 6), np.float32)
    for part in range(4):
        down, across = part % 2, part // 2
        whole[:, :, down::2, across::2] = weight[:, 3 * part : 3 * part + 3]
    whole = whole / _DEVIATION
    return whole, bias - (whole * _MEAN).sum((1, 2, 3))
