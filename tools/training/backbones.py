"""What the detector looks with: backbones down to stride 32, of convolutions that quantise to int8 without loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (16, 32, 56, 112, 192)
BLOCKS = (1, 2, 3, 2)
BATCH_NORM_EPS = 1e-3
# MobileNet v2 at half its width: (expansion, channels, blocks, stride of the first).
MOBILE_STEM = 16
MOBILE = ((1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1), (6, 80, 3, 2), (6, 160, 1, 1))
AT_8, AT_16 = 6, 13  # the blocks that leave strides 8 and 16


def rounded(channels: float) -> int:
    """To 8, as the processors' registers like it."""
    return max(8, int(channels / 8 + 0.5) * 8)


class Conv(nn.Sequential):
    """Convolution, batch normalisation, ReLU6 unless linear. Pads on both sides, also where the stride is 2."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS, momentum=0.03),
            *(() if linear else (nn.ReLU6(inplace=True),)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Where normalisation does not learn it is folded into the convolution: one pass over the map less."""
        if self.training:
            return super().forward(x)  # type: ignore[no-any-return]
        conv, norm = self[0], self[1]
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight, bias = conv.weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain
        x = F.conv2d(x, weight, bias, conv.stride, conv.padding, groups=conv.groups)
        return x if len(self) == 2 else F.relu6(x, inplace=True)


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

    `frozen` parts keep what they started with: neither weights nor normalisation learn.
    """

    outputs: tuple[int, int, int]
    frozen: tuple[nn.Module, ...] = ()


class PlainBackbone(Backbone):
    """Residual stages of plain convolutions: few memory accesses for what they compute. Learns from nothing."""

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


class Inverted(nn.Module):
    """MobileNet v2's block: wide by 1x1, 3x3 of each channel, narrow again; added to what came in where it fits."""

    def __init__(self, inputs: int, outputs: int, *, expand: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expand
        self.expand = Conv(inputs, wide, 1) if expand > 1 else nn.Identity()
        self.depth = Conv(wide, wide, stride=stride, groups=wide)
        self.project = Conv(wide, outputs, 1, linear=True)
        self.is_residual = stride == 1 and inputs == outputs

    def narrow(self, wide: Tensor) -> Tensor:
        return self.project(self.depth(wide))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        inner = self.narrow(self.expand(x))
        return x + inner if self.is_residual else inner


class MobileBackbone(Backbone):
    """MobileNet v2 at half its width: for weights that already know pictures (`unpack.fill_backbone`).

    Strides 8 and 16 are taken where they are widest, inside the block that halves them. All before stride 8 is frozen:
    two thirds of the time of a step were spent there, and edges are the same for everybody.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, MOBILE_STEM, stride=2)
        inputs, blocks = MOBILE_STEM, []
        for expand, outputs, count, stride in MOBILE:
            for number in range(count):
                blocks.append(Inverted(inputs, outputs, expand=expand, stride=1 if number else stride))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.outputs = blocks[AT_8].depth[0].in_channels, blocks[AT_16].depth[0].in_channels, inputs

    @property
    def layers(self) -> tuple[Inverted, ...]:
        return tuple(block for block in self.blocks if isinstance(block, Inverted))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        layers = self.layers
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            x = self.stem(x)
            for block in layers[:AT_8]:
                x = block(x)
        c8 = layers[AT_8].expand(x)
        x = layers[AT_8].narrow(c8)
        for block in layers[AT_8 + 1 : AT_16]:
            x = block(x)
        c16 = layers[AT_16].expand(x)
        x = layers[AT_16].narrow(c16)
        for block in layers[AT_16 + 1 :]:
            x = block(x)
        return c8, c16, x

    def freeze(self) -> None:
        self.frozen = self.stem, *self.layers[:AT_8]
        for part in self.frozen:
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> MobileBackbone:
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self
