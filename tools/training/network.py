"""The detector: an anchor-free network of plain convolutions that quantises to int8 without loss (family ``ltrb``).

A backbone down to stride 32, a small feature pyramid, and per level one tower for scores and one for boxes.
ReLU6, nearest upsampling and no sigmoid on boxes: each became a cheap, exact int8 operator.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.training.backbones import Backbone, Conv, rounded

STRIDES = (8, 16, 32)
PYRAMID = 64
# Scores start at 1 in 100, as most cells hold nothing (focal loss paper); boxes at two strides to each side.
SCORE_BIAS, BOX_BIAS = -4.6, 2.0


class Tower(nn.Sequential):
    """Two depthwise-separable convolutions and a linear one."""

    def __init__(self, channels: int, outputs: int, *, bias: float) -> None:
        last = nn.Conv2d(channels, outputs, 1)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, bias)
        super().__init__(
            Conv(channels, channels, groups=channels),
            Conv(channels, channels, 1),
            Conv(channels, channels, groups=channels),
            Conv(channels, channels, 1),
            last,
        )


class Detector(nn.Module):
    """Pictures [b, 3, s, s] in 0..1 -> score logits [b, n, classes] and distances [b, n, 4] in strides.

    The n candidates are the cells of strides 8, 16 and 32, row by row; distances go left, top, right, bottom.

    width : multiplies the channels of backbone and pyramid (rounded to 8)
    """

    def __init__(self, classes: int, *, width: float = 1.0) -> None:
        super().__init__()
        self.backbone = Backbone(width)
        pyramid = rounded(PYRAMID * width)
        self.lateral8, self.lateral16, self.lateral32 = (Conv(c, pyramid, 1) for c in self.backbone.outputs)
        self.smooth16, self.smooth8 = Conv(pyramid, pyramid), Conv(pyramid, pyramid)
        self.down16, self.down32 = Conv(pyramid, pyramid, stride=2), Conv(pyramid, pyramid, stride=2)
        self.scores = nn.ModuleList(Tower(pyramid, classes, bias=SCORE_BIAS) for _ in STRIDES)
        self.boxes = nn.ModuleList(Tower(pyramid, 4, bias=BOX_BIAS) for _ in STRIDES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.answer(self.backbone(x))

    def answer(self, maps: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """From the backbone's maps."""
        c8, c16, c32 = maps
        p32 = self.lateral32(c32)
        p16 = self.smooth16(self.lateral16(c16) + double(p32))
        p8 = self.smooth8(self.lateral8(c8) + double(p16))
        p16 = p16 + self.down16(p8)
        p32 = p32 + self.down32(p16)
        levels = (p8, p16, p32)
        scores = [rows(tower(level)) for tower, level in zip(self.scores, levels, strict=True)]
        boxes = [rows(tower(level)) for tower, level in zip(self.boxes, levels, strict=True)]
        return torch.cat(scores, 1), torch.cat(boxes, 1)


def double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def rows(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


def make_cells(size: int, device: Any = "cpu") -> tuple[Tensor, Tensor]:
    """(n, 2) centres of the cells in pixels and (n,) their strides."""
    centres, strides = [], []
    for stride in STRIDES:
        along = (torch.arange(size // stride, device=device) + 0.5) * stride
        y, x = torch.meshgrid(along, along, indexing="ij")
        centres.append(torch.stack([x, y], -1).view(-1, 2))
        strides.append(torch.full((len(along) ** 2,), float(stride), device=device))
    return torch.cat(centres), torch.cat(strides)


def to_boxes(distances: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """[..., n, 4] x1, y1, x2, y2 in pixels of the network's picture."""
    pixels = distances * strides[:, None]
    return torch.cat([centres - pixels[..., :2], centres + pixels[..., 2:]], -1)
