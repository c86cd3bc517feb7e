"""A picture that may leave the process that sees pixels: people made unrecognisable, of bounded size, as JPEG."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Corners = tuple[float, float, float, float]

# A box is drawn tightly, a hand reaches out of it: so much is hidden on each side, as a part of its width and height.
_MARGIN = 0.1
# Squares along the longer side: of a person's face, a seventh of the height, no more than two are left.
_SQUARES = 10
_LONGEST_PX = 960
LARGEST_BYTES = 200_000
_QUALITIES = (80, 60, 40, 20)
_SMALLEST_PX = 16


def redact(image: Image, boxes: Iterable[Corners]) -> Image:
    """A copy in which everything inside the boxes is coarse squares.

    Parameters
    ----------
    image : (height, width, 3) uint8, any order of colours
    boxes : x1, y1, x2, y2 in pixels of the picture, in part or wholly outside it if need be; one that is no box at all
        (not finite) hides the whole picture
    """
    hidden = image.copy()
    for box in boxes:
        x1, y1, x2, y2 = _grown(box, image)
        if x2 > x1 and y2 > y1:
            hidden[y1:y2, x1:x2] = _squares(hidden[y1:y2, x1:x2])
    return hidden


def encode(image: Image) -> bytes:
    """As JPEG of at most 200,000 bytes and 960 pixels. ``image`` is RGB.

    Raises
    ------
    ValueError
        If it can't be made so small.
    """
    picture = cv2.cvtColor(_shrunk(image, _LONGEST_PX), cv2.COLOR_RGB2BGR)
    while max(picture.shape[:2]) >= _SMALLEST_PX:
        for quality in _QUALITIES:
            is_made, content = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
            if is_made and len(content) <= LARGEST_BYTES:
                return content.tobytes()
        picture = _shrunk(np.asarray(picture, np.uint8), max(picture.shape[:2]) // 2)
    raise ValueError(f"a picture of {image.shape[1]}x{image.shape[0]} can't be made a JPEG of {LARGEST_BYTES} bytes")


def _grown(box: Corners, image: Image) -> tuple[int, int, int, int]:
    height, width = image.shape[:2]
    if not np.isfinite(box).all():
        return 0, 0, width, height
    x1, y1, x2, y2 = box
    aside, above = (x2 - x1) * _MARGIN, (y2 - y1) * _MARGIN
    left, top = max(0, int(np.floor(x1 - aside))), max(0, int(np.floor(y1 - above)))
    return left, top, min(width, int(np.ceil(x2 + aside))), min(height, int(np.ceil(y2 + above)))


def _squares(part: Image) -> Image:
    height, width = part.shape[:2]
    side = max(height, width) / _SQUARES
    few = max(1, round(width / side)), max(1, round(height / side))
    coarse = cv2.resize(part, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _shrunk(image: Image, longest_px: int) -> Image:
    height, width = image.shape[:2]
    scale = longest_px / max(height, width)
    if scale >= 1.0:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
