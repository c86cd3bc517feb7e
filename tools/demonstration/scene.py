"""The demo's camera: public-domain photographs under a moving view, written as an ordinary video clip."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 640, 480, 10
_HOLD_S, _PAN_S = 4.0, 2.0
_PHOTO_HEIGHT = 440
_GAP = 400  # between photographs: wide enough that what was seen has left before the next comes in
_BACKGROUND = 182

Image = NDArray[np.uint8]


def write_scene(path: Path) -> Path:
    """Write the clip (mp4, 640x480, 10 frames/s, about 24 s); returns its path."""
    wall, stops = _wall(_photographs())
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise SystemExit(f"demo: the clip {path} can't be written; is the disk full or read-only?")
    for x in _path(stops):
        writer.write(cv2.cvtColor(_view(wall, x), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def _photographs() -> list[Image]:
    from skimage import data  # the demo extra; its wheel carries these pictures, nothing is downloaded

    motorcycle, _, _ = data.stereo_motorcycle()
    portrait = data.astronaut()[:, 60:420]  # the person without the flag and the model rocket beside her
    return [np.asarray(photo[..., :3], np.uint8) for photo in (portrait, motorcycle, data.chelsea())]


def _wall(photographs: list[Image]) -> tuple[Image, list[float]]:
    """The photographs side by side on a plain wall, and the middle of each, in pixels."""
    scaled = [
        cv2.resize(photo, (round(photo.shape[1] * _PHOTO_HEIGHT / photo.shape[0]), _PHOTO_HEIGHT))
        for photo in photographs
    ]
    length = sum(photo.shape[1] for photo in scaled) + _GAP * (len(scaled) + 1)
    wall = np.full((HEIGHT, length, 3), _BACKGROUND, np.uint8)
    stops, x = [], _GAP
    for photo in scaled:
        top = (HEIGHT - _PHOTO_HEIGHT) // 2
        wall[top : top + _PHOTO_HEIGHT, x : x + photo.shape[1]] = photo
        stops.append(x + photo.shape[1] / 2)
        x += photo.shape[1] + _GAP
    return wall, stops


def _path(stops: list[float]) -> list[float]:
    """The middle of the view, frame by frame: rests and sways at each photograph, glides to the next, and back."""
    path: list[float] = []
    for here, there in zip([*stops, stops[0]], [*stops[1:], stops[0], stops[0]], strict=True):
        hold, pan = round(_HOLD_S * FPS), round(_PAN_S * FPS)
        path += [here + 18 * math.sin(2 * math.pi * frame / hold) for frame in range(hold)]
        if there != here:
            path += [here + (there - here) * (1 - math.cos(math.pi * frame / pan)) / 2 for frame in range(pan)]
    return path


def _view(wall: Image, x: float) -> Image:
    """What the camera sees with its middle at x; sub-pixel, so that it glides."""
    shift = np.array([[1, 0, WIDTH / 2 - x], [0, 1, 0]], np.float32)
    view = cv2.warpAffine(wall, shift, (WIDTH, HEIGHT), borderValue=(_BACKGROUND,) * 3)
    return np.asarray(view, np.uint8)
