"""What the detector looks with: a backbone down to stride 32, of convolutions that quantise to int8 without loss."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (16, 32, 56, 112, 192)
BLOCKS = (1, 2, 3, 2)
BATCH_NORM_EPS = 1e-3
_STEPS = 255 / 6  # of int8 in ReLU6's range


def rounded(channels: float) -> int:
    """To 8, as the processors' registers like it."""
    return max(8, int(channels / 8 + 0.5) * 8)


class _Rounding(torch.autograd.Function):
    """To int8's 256 steps from 0 to 6; its gradient is taken to be 1, or nothing would learn."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004
        return x.mul(_STEPS).round_().div_(_STEPS)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]  # noqa: ARG004
        return gradient


class Conv(nn.Sequential):
    """Convolution, batch normalisation, ReLU6. Pads on both sides, also where the stride is 2.

    is_rounded : as int8 will have it, so that what learns from it learns to bear that
    """

    is_rounded = False

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS, momentum=0.03),
            nn.ReLU6(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Where normalisation does not learn it is folded into the convolution: one pass over the map less."""
        if self.training:
            return self._rounded(super().forward(x))
        conv, norm = self[0], self[1]
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight, bias = conv.weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain
        x = F.conv2d(x, weight, bias, conv.stride, conv.padding, groups=conv.groups)
        return self._rounded(self[2](x))

    def _rounded(self, x: Tensor) -> Tensor:
        return cast(Tensor, _Rounding.apply(x)) if self.is_rounded else x


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


class Backbone(nn.Module):
    """Pictures [b, 3, s, s] in 0..1 -> maps at strides 8, 16 and 32; `outputs` are their channels.

    Residual stages of plain convolutions: few memory accesses for what they compute. Learns from nothing.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        c2, c4, c8, c16, c32 = (rounded(w * width) for w in WIDTHS)
        self.outputs = c8, c16, c32
        self.stem = Conv(3, c2, stride=2)
        self.stage4 = Stage(c2, c4, BLOCKS[0])
        self.stage8 = Stage(c4, c8, BLOCKS[1])
        self.stage16 = Stage(c8, c16, BLOCKS[2])
        self.stage32 = Stage(c16, c32, BLOCKS[3])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        c8 = self.stage8(self.stage4(self.stem(x)))
        c16 = self.stage16(c8)
        return c8, c16, self.stage32(c16)
