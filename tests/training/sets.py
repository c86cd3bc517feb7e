"""Tiny sets to train on, as values and as folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tools.training.dataset import Sample


def sample(
    boxes: Sequence[tuple[float, float, float, float]] = (),
    *,
    classes: Sequence[int] | None = None,
    ignored: Sequence[bool] | None = None,
    name: str = "a.jpg",
    outlined: bool = False,
) -> Sample:
    """Objects of class 0 unless told otherwise."""
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    outlines = tuple((_outline(box),) if outlined else () for box in corners)
    return Sample(
        path=Path(name),
        name=name,
        source="",
        boxes=corners,
        classes=np.array(classes or [0] * len(corners), np.int64),
        ignored=np.array(ignored or [False] * len(corners), np.bool_),
        outlines=outlines,
    )


def _outline(box: Any) -> Any:
    x1, y1, x2, y2 = box
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)


def write_set(
    folder: Path,
    *,
    names: Sequence[str] = ("a.png", "b.png"),
    annotations: Sequence[dict[str, Any]] = (),
    categories: Sequence[str] = ("person", "car"),
    side: int = 64,
    **picture: Any,
) -> Path:
    """A folder as tools/train takes it; pictures are noise, each its own. picture: more keys of each picture."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(sum("".join(names).encode()))
    for name in names:
        cv2.imwrite(str(folder / "images" / name), rng.integers(0, 256, (side, side, 3), np.uint8))
    content = {
        "images": [
            {"id": n, "file_name": name, "width": side, "height": side, **picture} for n, name in enumerate(names, 1)
        ],
        "annotations": [
            {"id": n, "image_id": 1, "iscrowd": 0, "area": 100, **one} for n, one in enumerate(annotations, 1)
        ],
        "categories": [{"id": n, "name": name} for n, name in enumerate(categories, 1)],
    }
    (folder / "instances.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
