"""A picture into the model's input tensor: resize, letterbox, quantise. Says where the picture lies in it."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import Placement, place_letterbox, place_stretch
from edge.core.model import InputLayout
from edge.core.values import Tensor

Image = NDArray[np.uint8]
_SIGN_BIT = np.uint8(0x80)


def pixel_table(layout: InputLayout) -> NDArray[Any]:
    """What each pixel value becomes in the input tensor, per channel.

    Returns
    -------
    (256, 3) of the input's dtype: ``(p - mean) / std``, for a quantised input then ``round(that / scale) +
    zero_point``, cut off at the dtype's range.
    """
    pixels = np.arange(256, dtype=np.float64)[:, None]
    real = (pixels - np.asarray(layout.mean)) / np.asarray(layout.std)
    if layout.dtype == "float32":
        return np.asarray(real, np.float32)
    dtype = np.dtype(layout.dtype)
    limits = np.iinfo(dtype)
    steps = np.rint(real / layout.scale) + layout.zero_point
    return np.asarray(np.clip(steps, limits.min, limits.max), dtype)


class Preprocessor:
    """Prepares pictures for one model. For one thread; keeps its buffers from call to call."""

    def __init__(self, layout: InputLayout) -> None:
        # Pictures this small lose more to waking OpenCV's threads than they gain, and the cores belong to the model.
        cv2.setNumThreads(1)
        self._layout = layout
        self._table = pixel_table(layout)
        self._way = _choose_way(self._table)
        self._lut = _as_opencv_table(self._table)
        # Until a picture's size is known the canvas is nothing but padding.
        self._canvas = self._padded_canvas()
        self._values = self._canvas if layout.axes == "nhwc" else np.empty(_shape_nchw(layout), self._canvas.dtype)
        self._placed: tuple[Placement, tuple[int, int]] | None = None
        self._resized = np.empty((0, 0, 3), np.uint8)

    def prepare(self, image: Image) -> tuple[Tensor, Placement]:
        """Bring a picture into the input's size and numbers.

        Parameters
        ----------
        image : (height, width, 3) uint8, RGB

        Returns
        -------
        The input tensor (valid until the next call), and where the picture lies in it.
        """
        placement, (width, height) = self._place(image)
        top, left = placement.top, placement.left
        inside = self._canvas[0, top : top + height, left : left + width]
        if self._way == "as is" and self._layout.colours == "rgb":
            self._resize(image, (width, height), into=inside)
        else:
            pixels = self._resize(image, (width, height), into=self._resized)
            if self._layout.colours == "bgr":
                cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, dst=pixels)
            self._convert(pixels, into=inside)
        if self._layout.axes == "nchw":
            for channel in range(3):
                cv2.extractChannel(self._canvas[0], channel, dst=self._values[0, channel])
        layout = self._layout
        return Tensor(self._values, layout.scale, layout.zero_point, layout.name), placement

    def _place(self, image: Image) -> tuple[Placement, tuple[int, int]]:
        height, width = image.shape[:2]
        if self._placed is not None:
            placement = self._placed[0]
            if (placement.source_width, placement.source_height) == (width, height):
                return self._placed
            self._canvas[...] = self._padded_canvas()
        target = (self._layout.width, self._layout.height)
        if self._layout.resize == "letterbox":
            self._placed = place_letterbox(source=(width, height), target=target)
        else:
            self._placed = place_stretch(source=(width, height), target=target), target
        size = self._placed[1]
        self._resized = np.empty((size[1], size[0], 3), np.uint8)
        return self._placed

    def _resize(self, image: Image, size: tuple[int, int], *, into: Image) -> Image:
        if (image.shape[1], image.shape[0]) == size:
            into[...] = image
        else:
            cv2.resize(image, size, dst=into, interpolation=cv2.INTER_LINEAR)
        return into

    def _convert(self, pixels: Image, *, into: NDArray[Any]) -> None:
        if self._way == "as is":
            into[...] = pixels
        elif self._way == "sign bit":  # 6 times faster than the table
            np.bitwise_xor(pixels, _SIGN_BIT, out=into.view(np.uint8))
        else:
            cv2.LUT(pixels, self._lut, dst=into)

    def _padded_canvas(self) -> NDArray[Any]:
        layout = self._layout
        canvas = np.empty((1, layout.height, layout.width, 3), self._table.dtype)
        canvas[...] = self._table[layout.pad]
        return canvas


def _choose_way(table: NDArray[Any]) -> Literal["as is", "sign bit", "table"]:
    pixels = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    if table.dtype == np.uint8 and np.array_equal(table, pixels):
        return "as is"
    if table.dtype == np.int8 and np.array_equal(table.view(np.uint8), pixels ^ _SIGN_BIT):
        return "sign bit"
    return "table"


def _as_opencv_table(table: NDArray[Any]) -> NDArray[Any]:
    if (table == table[:, :1]).all():
        return np.ascontiguousarray(table[:, 0]).reshape(1, 256)
    return np.ascontiguousarray(table).reshape(1, 256, 3)


def _shape_nchw(layout: InputLayout) -> tuple[int, int, int, int]:
    return (1, 3, layout.height, layout.width)
