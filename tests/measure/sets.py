"""Tiny labelled sets: pictures of one colour, boxes worked by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def coco_file(
    *,
    pictures: Sequence[tuple[str, int, int]],
    categories: Sequence[str],
    boxes: Sequence[tuple[int, str, tuple[float, float, float, float]]],
    crowds: Sequence[int] = (),
) -> dict[str, Any]:
    """A COCO annotation file as plain JSON values.

    pictures : (file name, width, height)
    boxes : (index of the picture, category, (x1, y1, x2, y2))
    crowds : indices into boxes
    """
    return {
        "images": [
            {"id": 100 + index, "file_name": name, "width": width, "height": height}
            for index, (name, width, height) in enumerate(pictures)
        ],
        "categories": [{"id": 7 + index, "name": name} for index, name in enumerate(categories)],
        "annotations": [
            {
                "id": index,  # from 0, as some exporters count
                "image_id": 100 + picture,
                "category_id": 7 + list(categories).index(category),
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": int(index in crowds),
            }
            for index, (picture, category, (x1, y1, x2, y2)) in enumerate(boxes)
        ],
    }


def write_set(folder: Path, content: dict[str, Any]) -> tuple[Path, Path]:
    """The pictures (grey) and the annotation file; returns (folder of pictures, file)."""
    images = folder / "images"
    images.mkdir(parents=True)
    for entry in content["images"]:
        path = images / entry["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((entry["height"], entry["width"], 3), 114, np.uint8))
    annotations = folder / "instances.json"
    annotations.write_text(json.dumps(content), encoding="utf-8")
    return images, annotations
