"""Boxes and labels drawn into a picture, for people to look at."""

from __future__ import annotations

import colorsys
import math
import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.core.values import Detections

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT_PX = 22.0  # of a capital letter of this font at scale 1
_TEXT_SHARE = 1 / 60  # height of a capital letter to the picture's mean side
_LINE_SHARE = 1 / 320  # thickness of a box's line to the picture's mean side
_SMALLEST_LETTER_PX = 7.0  # below that nobody can read it
_GOLDEN_TURN = 0.618033988749895  # neighbouring class ids get hues far apart

Colour = tuple[int, int, int]


def draw_detections(image: NDArray[np.uint8], detections: Detections, labels: Sequence[str]) -> NDArray[np.uint8]:
    """A copy of the picture with each box, its label and its score in percent.

    Lines and letters grow with the picture; a class has the same colour in every picture; the best detection is drawn
    last, so that it lies on top; labels stay inside the picture.

    Parameters
    ----------
    image : (height, width, 3) uint8, RGB; left as it is
    detections : in pixels of this picture; a score of NaN is not written
    labels : ``labels[class_id]``; missing ones read ``class <id>``
    """
    canvas = np.ascontiguousarray(image).copy()
    height, width = canvas.shape[:2]
    side = (height * width) ** 0.5
    pen = _Pen(side)
    places = [_inside(box, width=width, height=height) for box in detections.boxes]
    visible = [(index, place) for index, place in enumerate(places) if place is not None][::-1]
    for index, place in visible:
        cv2.rectangle(canvas, place[:2], place[2:], class_colour(int(detections.class_ids[index])), pen.line_px)
    for index, place in visible:  # after all boxes: no line may cross out a label
        class_id = int(detections.class_ids[index])
        text = f"{_label(class_id, labels)} {_percent(float(detections.scores[index]))}".rstrip()
        _draw_text(canvas, text, place, class_colour(class_id), pen)
    return canvas


def class_colour(class_id: int) -> Colour:
    """A bright RGB colour of its own for each class."""
    hue = (class_id * _GOLDEN_TURN + 0.33) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


class _Pen:
    """Sizes that fit a picture whose mean side is ``side`` pixels."""

    def __init__(self, side: float) -> None:
        self.line_px = max(1, round(side * _LINE_SHARE))
        letter_px = max(_SMALLEST_LETTER_PX, side * _TEXT_SHARE)
        self.font_scale = letter_px / _FONT_HEIGHT_PX
        self.font_px = max(1, round(letter_px / 11))
        self.margin_px = max(2, round(letter_px * 0.4))


def _inside(box: NDArray[np.float32], *, width: int, height: int) -> tuple[int, int, int, int] | None:
    """The box as whole pixels of the picture (x2, y2 inclusive, as OpenCV draws); None when nothing of it is inside."""
    if not np.isfinite(box).all():
        return None
    x1, y1, x2, y2 = (float(edge) for edge in box)
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return None
    left, top = max(0, round(x1)), max(0, round(y1))
    right, bottom = min(width, round(x2)) - 1, min(height, round(y2)) - 1
    return min(left, width - 1), min(top, height - 1), max(left, right), max(top, bottom)


def _draw_text(
    canvas: NDArray[np.uint8], text: str, corners: tuple[int, int, int, int], colour: Colour, pen: _Pen
) -> None:
    """The label on a plate of its colour: above the box, or inside it where the picture ends."""
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, pen.font_scale, pen.font_px)
    plate_width, plate_height = text_width + 2 * pen.margin_px, text_height + baseline + pen.margin_px
    height, width = canvas.shape[:2]
    left = max(0, min(corners[0] - pen.line_px // 2, width - plate_width))
    above = corners[1] - plate_height
    top = above if above >= 0 else min(corners[1], max(0, height - plate_height))
    cv2.rectangle(canvas, (left, top), (left + plate_width - 1, top + plate_height - 1), colour, cv2.FILLED)
    at = (left + pen.margin_px, top + plate_height - baseline)
    cv2.putText(canvas, text, at, _FONT, pen.font_scale, _readable_on(colour), pen.font_px, cv2.LINE_AA)


def _readable_on(colour: Colour) -> Colour:
    """Black or white, whichever stands out (luma of ITU-R BT.601)."""
    luma = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    return (0, 0, 0) if luma > 110 else (255, 255, 255)


def _label(class_id: int, labels: Sequence[str]) -> str:
    label = labels[class_id] if 0 <= class_id < len(labels) else ""
    return _plain(label) or f"class {class_id}"


def _plain(text: str) -> str:
    """OpenCV's font knows ASCII only: accents are taken off, the rest becomes a question mark."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return bare.encode("ascii", "replace").decode("ascii")


def _percent(score: float) -> str:
    """83%; 100% only when it is; nothing for a box that has no score (NaN), such as a labelled one."""
    if math.isnan(score):
        return ""
    return f"{min(99, round(score * 100)) if score < 1.0 else 100}%"
