"""The detector: an anchor-free network of plain convolutions that quantises to int8 without loss (family ``ltrb``).

Residual stages at strides 4 to 32, a small feature pyramid, and per level one tower for scores and one for boxes.
ReLU6, nearest upsampling and no sigmoid on boxes: each became a cheap, exact int8 operator.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDES = (8, 16, 32)
WIDTHS = (16, 32, 56, 112, 192)
BLOCKS = (1, 2, 3, 2)
PYRAMID = 64
BATCH_NORM_EPS = 1e-3
# Scores start at 1 in 100, as most cells hold nothing (focal loss paper); boxes at two strides to each side.
_SCORE_BIAS, _BOX_BIAS = -4.6, 2.0


class Conv(nn.Sequential):
    """Convolution, batch normalisation, ReLU6. Pads on both sides, also where the stride is 2."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS, momentum=0.03),
            nn.ReLU6(inplace=True),
        )


class Block(nn.Module):
    """Half the channels through 1x1, back through 3x3, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.narrow = Conv(channels, channels // 2, 1)
        self.widen = Conv(channels // 2, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.widen(self.narrow(x))


class Stage(nn.Sequential):
    """Half the size, then residual blocks."""

    def __init__(self, inputs: int, outputs: int, blocks: int) -> None:
        super().__init__(Conv(inputs, outputs, stride=2), *(Block(outputs) for _ in range(blocks)))


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

    width : multiplies the channels of all stages (rounded to 8)
    """

    def __init__(self, classes: int, *, width: float = 1.0) -> None:
        super().__init__()
        self.shape = {"classes": classes, "width": width}
        c4, c8, c16, c32 = (_round(w * width) for w in WIDTHS[1:])
        pyramid = _round(PYRAMID * width)
        self.stem = Conv(3, _round(WIDTHS[0] * width), stride=2)
        self.stage4 = Stage(_round(WIDTHS[0] * width), c4, BLOCKS[0])
        self.stage8 = Stage(c4, c8, BLOCKS[1])
        self.stage16 = Stage(c8, c16, BLOCKS[2])
        self.stage32 = Stage(c16, c32, BLOCKS[3])
        self.lateral8, self.lateral16, self.lateral32 = (Conv(c, pyramid, 1) for c in (c8, c16, c32))
        self.smooth16, self.smooth8 = Conv(pyramid, pyramid), Conv(pyramid, pyramid)
        self.down16, self.down32 = Conv(pyramid, pyramid, stride=2), Conv(pyramid, pyramid, stride=2)
        self.scores = nn.ModuleList(Tower(pyramid, classes, bias=_SCORE_BIAS) for _ in STRIDES)
        self.boxes = nn.ModuleList(Tower(pyramid, 4, bias=_BOX_BIAS) for _ in STRIDES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        c8 = self.stage8(self.stage4(self.stem(x)))
        c16 = self.stage16(c8)
        p32 = self.lateral32(self.stage32(c16))
        p16 = self.smooth16(self.lateral16(c16) + _double(p32))
        p8 = self.smooth8(self.lateral8(c8) + _double(p16))
        p16 = p16 + self.down16(p8)
        p32 = p32 + self.down32(p16)
        levels = (p8, p16, p32)
        scores = [_rows(tower(level)) for tower, level in zip(self.scores, levels, strict=True)]
        boxes = [_rows(tower(level)) for tower, level in zip(self.boxes, levels, strict=True)]
        return torch.cat(scores, 1), torch.cat(boxes, 1)


def _round(channels: float) -> int:
    return max(8, int(channels / 8 + 0.5) * 8)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def _rows(x: Tensor) -> Tensor:
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
