"""YOLOX-nano as its makers trained it: the teacher of labels, and of what a network of the same shape should see."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from edge.core.errors import ConfigError
from tools.training.backbones import Conv
from tools.training.classes import ClassPlan
from tools.training.csp import HEAD, CspDetector, Head
from tools.training.ncnn_file import fill_all, read_convolutions
from tools.training.network import rows

# COCO's 80 categories, in the order of their numbers.
COCO = [
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "airplane",
    "bus",
    "train",
    "truck",
    "boat",
    "traffic light",
    "fire hydrant",
    "stop sign",
    "parking meter",
    "bench",
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "backpack",
    "umbrella",
    "handbag",
    "tie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket",
    "bottle",
    "wine glass",
    "cup",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut",
    "cake",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv",
    "laptop",
    "mouse",
    "remote",
    "keyboard",
    "cell phone",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier",
    "toothbrush",
]
_LEAST = 1e-6


class Yolox(nn.Module):
    """Pictures [b, 3, s, s] in 0..1 -> score logits [b, n, classes] and distances [b, n, 4] in strides.

    A class's score is that of the most likely of its categories times that anything is there at all.
    """

    def __init__(self, param: Path, plan: ClassPlan) -> None:
        super().__init__()
        unknown = [name for members in plan.members for name in members if name not in COCO]
        if unknown:
            raise ConfigError(f"{param}: knows COCO's categories, not {', '.join(unknown)}")
        self._members = [[COCO.index(name) for name in members] for members in plan.members]
        network = CspDetector(len(COCO))
        for head in network.heads:
            cast(Head, head).presence = nn.Conv2d(HEAD, 1, 1)
        fill_all(network, read_convolutions(param), origin=param)
        for module in network.modules():
            if isinstance(module, Conv):
                module[2] = nn.SiLU()
        self.network = network.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.answer(self.network.backbone(x))

    def answer(self, levels: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        pairs = [self._look(cast(Head, head), level) for head, level in zip(self.network.heads, levels, strict=True)]
        return torch.cat([rows(scores) for scores, _ in pairs], 1), torch.cat([rows(sides) for _, sides in pairs], 1)

    def _look(self, head: Head, x: Tensor) -> tuple[Tensor, Tensor]:
        x = head.stem(x)
        where = head.where(x)
        kinds, presence = head.kind(head.what(x)).float().sigmoid(), head.presence(where).float().sigmoid()
        scores = torch.stack([kinds[:, members].amax(1) for members in self._members], 1) * presence
        # Theirs: the middle, from the cell's corner, and the logarithms of width and height, in strides.
        place = head.sides(where).float()
        middle, half = place[:, :2] - 0.5, place[:, 2:].exp() / 2
        return scores.clamp(_LEAST, 1 - _LEAST).logit(), torch.cat([half - middle, half + middle], 1)
