"""What libcamera's pixel format names mean in memory, and how to make RGB of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.capture.pixels import PixelOrder, to_rgb
from edge.core.errors import Away, SourceError

# libcamera (like DRM) names a packed pixel from the high end of a little-endian number: "BGR888" is R, G, B in memory.
_ORDERS = {
    "BGR888": PixelOrder.RGB,
    "RGB888": PixelOrder.BGR,
    "XBGR8888": PixelOrder.RGBX,
    "XRGB8888": PixelOrder.BGRX,
    "NV12": PixelOrder.NV12,
    "NV21": PixelOrder.NV21,
    "YUV420": PixelOrder.I420,
    "YVU420": PixelOrder.YV12,
    "YUYV": PixelOrder.YUYV,
}
_PREFERRED = {"main": "BGR888", "lores": "YUV420"}  # up to the Pi 4 the ISP gives lores in YUV only
_BYTES_PER_PIXEL = {PixelOrder.RGB: 3, PixelOrder.BGR: 3, PixelOrder.RGBX: 4, PixelOrder.BGRX: 4, PixelOrder.YUYV: 2}


def preferred_format(stream: str) -> str:
    """What to ask for on "main" and on "lores"."""
    return _PREFERRED[stream]


def pixel_order(stream: Mapping[str, Any], *, where: str) -> PixelOrder:
    """The order behind a stream's format; raises SourceError when it is none that is understood."""
    order = _ORDERS.get(str(stream["format"]))
    if order is None:
        raise SourceError(
            f"{where}: expected one of the formats {', '.join(_ORDERS)}; the camera gives {stream['format']}"
            + ("; a USB camera is better used as /dev/videoN" if stream["format"] == "MJPEG" else ""),
            Away.UNSUITABLE,
        )
    return order


def picture_of(buffer: NDArray[np.uint8], stream: Mapping[str, Any], *, where: str) -> NDArray[np.uint8] | None:
    """RGB of one stream's buffer.

    Parameters
    ----------
    buffer : (n,) bytes as they lie in memory, rows padded to the stride
    stream : as in camera_configuration(): format, size (width, height), stride in bytes
    where : for the message

    Returns
    -------
    (height, width, 3) uint8, RGB; None when the buffer is shorter than the stream says (a torn frame).
    """
    order = pixel_order(stream, where=where)
    width, height = stream["size"]
    depth = _BYTES_PER_PIXEL.get(order)
    stride = int(stream.get("stride") or width * (depth or 1))
    rows = height if depth else height * 3 // 2
    if buffer.size < rows * stride:
        return None
    pixels = buffer.reshape(-1)[: rows * stride].reshape(rows, stride)
    if depth:
        return to_rgb(pixels[:, : width * depth].reshape(height, width, depth), order)
    # The chroma rows carry the same padding: cut it off after the conversion.
    return np.ascontiguousarray(to_rgb(pixels, order)[:, :width])
