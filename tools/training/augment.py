"""Pictures as the network sees them in training: mosaic, random crops, pasted objects, and cameras' faults.

Everything drawn comes from the generator that is handed in: the same generator gives the same picture, so sample
number n of a run is the same whoever makes it, in whichever process, before or after a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tools.training.damage import damage, recolour
from tools.training.dataset import Sample

Image = NDArray[np.uint8]
GREY = 114  # the letterbox's padding on the device
# Of a cut object, so much must be left to be asked for; less is ignored, and under the second figure forgotten.
_ASKED, _KNOWN = 0.25, 0.08
_SMALLEST_PX = 2.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How often each thing happens, 0..1.

    size : side of the square picture, pixels
    """

    size: int = 256
    mosaic: float = 0.6
    paste: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """An object cut along its outline: (h, w, 3) pixels, (h, w) 0..255 coverage, its class."""

    image: Image
    mask: Image
    class_id: int


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One augmented picture: (size, size, 3) RGB; boxes (n, 4), classes (n,), ignored (n,).

    clean : the same before colours were changed and a camera's faults added: what a teacher looks at
    """

    image: Image
    clean: Image
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    ignored: NDArray[np.bool_]


class Augmenter:
    """Pictures of a set, decoded once and kept in memory (0.4 MB each at 416 x 312)."""

    def __init__(
        self, samples: Sequence[Sample], images: Sequence[Image], weights: NDArray[np.float64], settings: Settings
    ) -> None:
        cv2.setNumThreads(0)
        self._samples, self._images, self._settings = samples, images, settings
        self._chances = np.cumsum(weights / weights.sum())
        self._cutouts = cut_objects(samples, images)

    @property
    def cutouts(self) -> int:
        return len(self._cutouts)

    def view(self, rng: Generator) -> View:
        size = self._settings.size
        canvas = np.full((size, size, 3), GREY, np.uint8)
        if rng.random() < self._settings.mosaic:
            x, y = (int(v * size) for v in rng.uniform(0.3, 0.7, 2))
            fields = ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size))
        else:
            fields = ((0, 0, size, size),)
        parts = [self._place(canvas, field, rng) for field in fields]
        boxes, classes, ignored = (np.concatenate(column) for column in zip(*parts, strict=True))
        view = View(canvas, canvas, boxes, classes, ignored)
        if self._cutouts and rng.random() < self._settings.paste:
            for _ in range(int(rng.integers(1, 4))):
                view = _paste(view, self._cutouts[int(rng.integers(len(self._cutouts)))], rng)
        return replace(view, image=damage(recolour(view.image, rng), rng))

    def _pick(self, rng: Generator) -> int:
        return min(int(np.searchsorted(self._chances, rng.random())), len(self._samples) - 1)

    def _place(
        self, canvas: Image, field: tuple[int, int, int, int], rng: Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
        """Fill a field of the canvas with a random part of a random picture; its boxes in the canvas's pixels."""
        number = self._pick(rng)
        image, sample = self._images[number], self._samples[number]
        left, top, right, bottom = field
        width, height = right - left, bottom - top
        matrix = _random_affine(image.shape[1], image.shape[0], width, height, rng)
        # Linear, with its flicker where much is made small: so does the device.
        part = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(GREY,) * 3)
        canvas[top:bottom, left:right] = part
        boxes, kept, cut = _move_boxes(sample.boxes, matrix, width, height)
        boxes += np.array([left, top, left, top], np.float32)
        return boxes[kept], sample.classes[kept], (sample.ignored | cut)[kept]


def _random_affine(width: int, height: int, into_width: int, into_height: int, rng: Generator) -> NDArray[np.float32]:
    """(2, 3): scale around filling or fitting the field, a little stretch, sometimes shear, half the time mirrored."""
    ratios = into_width / width, into_height / height
    base = (max(ratios) if rng.random() < 0.5 else min(ratios)) * np.exp(rng.uniform(np.log(0.55), np.log(1.9)))
    stretch = np.exp(rng.uniform(-0.2, 0.2))
    across, down = base * stretch, base / stretch
    is_mirrored = rng.random() < 0.5
    free_x, free_y = into_width - across * width, into_height - down * height  # negative: the picture is cropped
    x, y = rng.uniform(min(0.0, free_x), max(0.0, free_x)), rng.uniform(min(0.0, free_y), max(0.0, free_y))
    shear = rng.uniform(-0.12, 0.12) if rng.random() < 0.15 else 0.0
    return np.array(
        [
            [
                -across if is_mirrored else across,
                shear * down,
                x + (across * width if is_mirrored else 0.0) - shear * into_height / 2,
            ],
            [0.0, down, y],
        ],
        np.float32,
    )


def _move_boxes(
    boxes: NDArray[np.float32], matrix: NDArray[np.float32], width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """(boxes cut at the field, which of them are still there, which are too little of the object to be asked for)."""
    corners = np.stack([boxes[:, [0, 1]], boxes[:, [2, 1]], boxes[:, [0, 3]], boxes[:, [2, 3]]], 1)
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    whole = np.concatenate([moved.min(1), moved.max(1)], 1).reshape(-1, 4)
    inside = whole.clip(0, np.array([width, height, width, height], np.float32)).astype(np.float32)
    sides, full = inside[:, 2:] - inside[:, :2], (whole[:, 2:] - whole[:, :2]).prod(1)
    area = sides.prod(1)
    kept = (area > _KNOWN * full) & (sides > _SMALLEST_PX).all(1)
    return inside, kept, (area < _ASKED * full) | (sides.min(1) < 2 * _SMALLEST_PX)


def cut_objects(samples: Sequence[Sample], images: Sequence[Image]) -> list[Cutout]:
    """Every outlined object that is large enough to be worth pasting."""
    found = []
    for sample, image in zip(samples, images, strict=True):
        for box, class_id, ignored, outline in zip(
            sample.boxes, sample.classes, sample.ignored, sample.outlines, strict=True
        ):
            if ignored or not outline or box[2] - box[0] < 16 or box[3] - box[1] < 24:
                continue
            mask = np.zeros(image.shape[:2], np.uint8)
            cv2.fillPoly(mask, [np.round(part).astype(np.int32) for part in outline], 255)
            x1, y1, x2, y2 = (max(0, int(v)) for v in (box[0], box[1], np.ceil(box[2]), np.ceil(box[3])))
            found.append(Cutout(image[y1:y2, x1:x2].copy(), mask[y1:y2, x1:x2], int(class_id)))
    return found


def _paste(view: View, cutout: Cutout, rng: Generator) -> View:
    """Another scene's object in front of this one; what it hides for the most part is ignored from then on."""
    size = view.image.shape[0]
    scale = size * np.exp(rng.uniform(np.log(0.12), np.log(0.9))) / cutout.image.shape[0]
    scale, stretch = min(scale, size * 0.9 / cutout.image.shape[1], 3.0), np.exp(rng.uniform(-0.15, 0.15))
    width, height = (
        max(int(cutout.image.shape[1] * scale * stretch), 4),
        max(int(cutout.image.shape[0] * scale / stretch), 4),
    )
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(cutout.image, (width, height), interpolation=way)
    mask = cv2.GaussianBlur(cv2.resize(cutout.mask, (width, height)), (3, 3), 0)
    if rng.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    gain = rng.uniform(0.7, 1.25)
    left = int(rng.integers(-width // 4, max(size - 3 * width // 4, 1)))
    top = int(rng.integers(-height // 8, max(size - 3 * height // 4, 1)))
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + width, size), min(top + height, size)
    if x2 - x1 < 6 or y2 - y1 < 6:
        return view
    part = slice(y1 - top, y2 - top), slice(x1 - left, x2 - left)
    cover = mask[part][..., None].astype(np.float32) / 255
    below = view.image[y1:y2, x1:x2]
    below[...] = (below * (1 - cover) + np.clip(image[part] * np.float32(gain), 0, 255) * cover).astype(np.uint8)
    box = np.array([[x1, y1, x2, y2]], np.float32)
    return replace(
        view,
        boxes=np.concatenate([view.boxes, box]),
        classes=np.append(view.classes, cutout.class_id),
        ignored=np.append(view.ignored | (_covered(view.boxes, box[0]) > 0.7), False),
    )


def _covered(boxes: NDArray[np.float32], by: NDArray[np.float32]) -> NDArray[np.float32]:
    """The part of each box that lies under another, 0..1."""
    low, high = np.maximum(boxes[:, :2], by[:2]), np.minimum(boxes[:, 2:], by[2:])
    return (high - low).clip(0).prod(1) / ((boxes[:, 2:] - boxes[:, :2]).prod(1) + 1e-6)
