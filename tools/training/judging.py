"""What a finished model file sees, through the device's own path: edge's preprocessing, runtime, decoder and tiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.assemble.detector import open_detector
from edge.assemble.looks import make_look
from edge.assemble.model import find
from edge.core.clock import SystemClock
from edge.core.errors import ConfigError
from edge.core.model import Model
from edge.core.values import Frame
from tools.training.classes import ClassPlan
from tools.training.precision import Found

Image = NDArray[np.uint8]


class Judge(NamedTuple):
    """A model and how it is looked through; boxes and tiles as `edge eval` takes them."""

    model: Model
    boxes: Literal["graph", "raw"] = "graph"
    tiles: str = "1x1"


def open_judge(name: str, *, boxes: Literal["graph", "raw"] = "graph", tiles: str = "1x1") -> Judge:
    """A card's name or a file. Raises ModelError."""
    return Judge(find(name), boxes, tiles)


def see(judge: Judge, images: Iterable[Image], plan: ClassPlan, *, floor: float = 0.001) -> list[Found]:
    """`watch`, all at once."""
    return list(watch(judge, images, plan, floor=floor))


def watch(judge: Judge, images: Iterable[Image], plan: ClassPlan, *, floor: float = 0.001) -> Iterator[Found]:
    """Boxes of the plan's classes in each picture, best first; the model's labels are matched by name.

    A label is a class by itself (``vehicle``), or a category that the class stands for (``car``).

    Raises
    ------
    ConfigError
        If the model knows none of the classes.
    """
    numbers = _class_numbers(judge.model, plan)
    detector = open_detector(
        judge.model, threads=1, threshold=floor, max_boxes=300, multi_label=True, boxes=judge.boxes
    )
    look, clock = make_look(detector, judge.tiles), SystemClock()
    for number, image in enumerate(images):
        found = look.detect(Frame(image, "picture", number, clock.monotonic_ns(), clock.utc_now()))
        classes = numbers[found.class_ids]
        kept = classes >= 0
        yield Found(found.boxes[kept], found.scores[kept], classes[kept])


def _class_numbers(model: Model, plan: ClassPlan) -> NDArray[np.int64]:
    """Per label of the model the plan's class, -1 for others."""
    by_name = {**plan.by_category(), **{label: number for number, label in enumerate(plan.labels)}}
    numbers = np.array([by_name.get(label, -1) for label in model.labels], np.int64)
    if (numbers < 0).all():
        raise ConfigError(f"{model.path}: knows none of {', '.join(by_name)}; it has {', '.join(model.labels[:8])} ...")
    return numbers
