"""Planes of a video to blue, green, red in whole numbers: the same bytes on every processor.

FFmpeg's own step (swscale, as OpenCV calls it) rounds otherwise on each kind of processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
_Shares = NDArray[np.int32]

_ONE = 1 << 16
_HALF = _ONE // 2
_GREY = 128


@dataclass(frozen=True, slots=True)
class _Range:
    """What 0..255 of each plane stand for; BT.601, as OpenCV reads every video. Shares of 2^-16."""

    black: int
    luma: int
    red_of_v: int
    green_of_u: int
    green_of_v: int
    blue_of_u: int


_LIMITED = _Range(16, 76309, 104597, 25675, 53279, 132201)
_FULL = _Range(0, _ONE, 91881, 22554, 46802, 116130)
_VALUES = np.arange(256, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class _Tables:
    """What each value of a plane adds to each colour."""

    luma: _Shares
    red_of_v: _Shares
    green_of_u: _Shares
    green_of_v: _Shares
    blue_of_u: _Shares


def _tables(which: _Range) -> _Tables:
    away = _VALUES - _GREY
    return _Tables(
        (_VALUES - which.black) * which.luma + _HALF,
        away * which.red_of_v,
        away * -which.green_of_u,
        away * -which.green_of_v,
        away * which.blue_of_u,
    )


_TABLES = {False: _tables(_LIMITED), True: _tables(_FULL)}


def yuv_to_bgr(luma: Plane, chroma: Sequence[Plane], *, is_full: bool) -> Plane:
    """(height, width, 3) BGR, C-contiguous.

    Parameters
    ----------
    luma : (height, width)
    chroma : u and v, each (height, width) or coarser by whole numbers, rounded up; none for a grey picture
    is_full : whether 0 is black and 255 white; else 16 and 235

    Notes
    -----
    A coarse sample stands for all pixels it covers. Sums of whole numbers below 2^27: nothing is rounded but once.
    """
    tables = _TABLES[is_full]
    bright = tables.luma.take(luma)
    picture = np.empty((*luma.shape, 3), np.uint8)
    if not chroma:
        picture[...] = _settled(bright)[..., None]
        return picture
    u, v = chroma
    picture[..., 0] = _settled(bright + _spread(tables.blue_of_u.take(u), luma.shape))
    picture[..., 1] = _settled(bright + _spread(tables.green_of_u.take(u) + tables.green_of_v.take(v), luma.shape))
    picture[..., 2] = _settled(bright + _spread(tables.red_of_v.take(v), luma.shape))
    return picture


def _spread(shares: _Shares, shape: tuple[int, ...]) -> _Shares:
    """Coarse samples over the pixels they cover."""
    for axis in (0, 1):
        times = -(-shape[axis] // shares.shape[axis])
        if times > 1:
            shares = shares.repeat(times, axis)
    return shares[: shape[0], : shape[1]]


def _settled(shares: _Shares) -> _Shares:
    shares = shares >> 16
    return np.clip(shares, 0, 255, out=shares)
