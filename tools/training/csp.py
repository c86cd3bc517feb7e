"""The detector in the shape of YOLOX-nano, for weights that know pictures already (`ncnn_file.fill_csp`).

CSPDarknet of depthwise-separable convolutions, a pyramid up and down (PAFPN), and per level one tower for what it is
and one for where it is. Two things are ours: ReLU6 instead of SiLU, which int8 does not pay for, and the last layers.
Source of the shape: YOLOX (Ge et al., 2021), arXiv:2107.08430.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from tools.training.backbones import Conv
from tools.training.network import BOX_BIAS, SCORE_BIAS, double, rows

WIDTHS = (16, 32, 64, 128, 256)
HEAD = 64


class Separable(nn.Sequential):
    """3x3 of each channel, then 1x1."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(Conv(inputs, inputs, stride=stride, groups=inputs), Conv(inputs, outputs, 1))


class Bottleneck(nn.Module):
    def __init__(self, channels: int, *, is_residual: bool) -> None:
        super().__init__()
        self.first, self.second = Conv(channels, channels, 1), Separable(channels, channels)
        self.is_residual = is_residual

    def forward(self, x: Tensor) -> Tensor:
        inner = self.second(self.first(x))
        return inner + x if self.is_residual else cast(Tensor, inner)


class CrossStage(nn.Module):
    """Half of the channels through bottlenecks, half past them (CSPNet)."""

    def __init__(self, inputs: int, outputs: int, blocks: int, *, is_residual: bool) -> None:
        super().__init__()
        half = outputs // 2
        self.through, self.past = Conv(inputs, half, 1), Conv(inputs, half, 1)
        self.blocks = nn.Sequential(*(Bottleneck(half, is_residual=is_residual) for _ in range(blocks)))
        self.join = Conv(2 * half, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        past = self.past(x)
        return cast(Tensor, self.join(torch.cat([self.blocks(self.through(x)), past], 1)))


class Pooled(nn.Module):
    """What is near, nearer and far at once: maxima over 5, 9 and 13 cells, each made of the one before (SPP)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.narrow, self.widen = Conv(channels, channels // 2, 1), Conv(channels * 2, channels, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        near = self.narrow(x)
        nine = self.pool(five := self.pool(near))
        return cast(Tensor, self.widen(torch.cat([near, five, nine, self.pool(nine)], 1)))


class CspBackbone(nn.Module):
    """Pictures [b, 3, s, s] in 0..1 -> maps at strides 8, 16 and 32 that have seen each other.

    The order in which the parts are made is the order of the convolutions in YOLOX's own files.
    """

    def __init__(self) -> None:
        super().__init__()
        c2, c4, c8, c16, c32 = WIDTHS
        self.stem = Conv(3, c2, 6, stride=2)
        self.dark4 = nn.Sequential(Separable(c2, c4, stride=2), CrossStage(c4, c4, 1, is_residual=True))
        self.dark8 = nn.Sequential(Separable(c4, c8, stride=2), CrossStage(c8, c8, 3, is_residual=True))
        self.dark16 = nn.Sequential(Separable(c8, c16, stride=2), CrossStage(c16, c16, 3, is_residual=True))
        self.dark32 = nn.Sequential(
            Separable(c16, c32, stride=2), Pooled(c32), CrossStage(c32, c32, 1, is_residual=False)
        )
        self.narrow32 = Conv(c32, c16, 1)
        self.up16 = CrossStage(2 * c16, c16, 1, is_residual=False)
        self.narrow16 = Conv(c16, c8, 1)
        self.up8 = CrossStage(2 * c8, c8, 1, is_residual=False)
        self.half8 = Separable(c8, c8, stride=2)
        self.down16 = CrossStage(2 * c8, c16, 1, is_residual=False)
        self.half16 = Separable(c16, c16, stride=2)
        self.down32 = CrossStage(2 * c16, c32, 1, is_residual=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        c8 = self.dark8(self.dark4(self.stem(x)))
        c16 = self.dark16(c8)
        top32 = self.narrow32(self.dark32(c16))
        top16 = self.narrow16(self.up16(torch.cat([double(top32), c16], 1)))
        p8 = self.up8(torch.cat([double(top16), c8], 1))
        p16 = self.down16(torch.cat([self.half8(p8), top16], 1))
        return p8, p16, self.down32(torch.cat([self.half16(p16), top32], 1))


class Head(nn.Module):
    """Of one level: score logits from both towers (what it is, and whether anything is here), distances from one."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.stem = Conv(inputs, HEAD, 1)
        self.what = nn.Sequential(Separable(HEAD, HEAD), Separable(HEAD, HEAD))
        self.kind = nn.Conv2d(HEAD, classes, 1)
        self.where = nn.Sequential(Separable(HEAD, HEAD), Separable(HEAD, HEAD))
        self.sides, self.presence = nn.Conv2d(HEAD, 4, 1), nn.Conv2d(HEAD, classes, 1)
        for last, bias in ((self.kind, SCORE_BIAS), (self.sides, BOX_BIAS), (self.presence, 0.0)):
            nn.init.normal_(last.weight, std=0.01)
            nn.init.constant_(cast(Tensor, last.bias), bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x)
        where = self.where(x)
        return self.kind(self.what(x)) + self.presence(where), self.sides(where)


class CspDetector(nn.Module):
    """Pictures [b, 3, s, s] in 0..1 -> score logits [b, n, classes] and distances [b, n, 4] in strides.

    Candidates as in `tools.training.network.Detector`.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.backbone = CspBackbone()
        self.heads = nn.ModuleList(Head(channels, classes) for channels in (WIDTHS[2], WIDTHS[3], WIDTHS[4]))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.answer(self.backbone(x))

    def answer(self, levels: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """From the backbone's maps."""
        pairs = [head(level) for head, level in zip(self.heads, levels, strict=True)]
        return torch.cat([rows(scores) for scores, _ in pairs], 1), torch.cat([rows(sides) for _, sides in pairs], 1)
