"""Whether a lens sees anything, in five numbers."""

from __future__ import annotations

import cv2
import numpy as np

from edge.capture.small_picture import Grey
from edge.core.glance import LensFacts

# As good as black: what a sensor shows with its cap on, noise included. As good as white: it carries no detail.
_BLACK = 20
_WHITE = 245
_COARSE = 4  # side of the squares, in pixels of the small picture, over which noise is averaged away
_NOISE = 3.0  # levels that may be left of it
_DARK_CURRENT = 8.0  # added to the brightness, so that the contrast of a black picture is not that of its noise
_CLEAREST = 0.99  # the quantile of steps between neighbours that stands for the clearest edges
_FLAT = 4.0  # levels: a picture that spreads over fewer counts as spread over so many
# Of normal noise, half lies within so many standard deviations.
_MEDIAN_DEVIATION = 0.6745


def lens_facts(grey: Grey) -> LensFacts:
    """Measure a small grey picture; 0.2 ms."""
    mean, spread = (float(each[0, 0]) for each in cv2.meanStdDev(grey))
    width, height = max(2, grey.shape[1] // _COARSE), max(2, grey.shape[0] // _COARSE)
    coarse = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    fine, noise = _fine_detail(grey)
    spread = max(spread, _FLAT)
    return LensFacts(
        brightness=mean,
        dark=1.0 - _part_above(grey, _BLACK),
        bright=_part_above(grey, _WHITE),
        contrast=max(0.0, _clearest_edge(coarse) - _NOISE) / (mean + _DARK_CURRENT),
        # against the spread: lighting changes both alike, a lens out of focus the fine detail alone
        focus=fine / spread,
        grain=noise / spread,
    )


def _fine_detail(grey: Grey) -> tuple[float, float]:
    """Spread of the second differences that is not noise's, and noise's.

    Edges are few: what half of the picture stays below is noise.
    """
    second = cv2.convertScaleAbs(cv2.Laplacian(grey, cv2.CV_16S))
    counts = cv2.calcHist([second], [0], None, [256], [0, 256]).ravel()
    noise = float(np.searchsorted(counts.cumsum(), counts.sum() / 2)) / _MEDIAN_DEVIATION
    squares = float((counts * np.arange(256.0) ** 2).sum()) / second.size
    return max(0.0, squares - noise**2) ** 0.5, noise


def _part_above(grey: Grey, level: int) -> float:
    return cv2.countNonZero(cv2.threshold(grey, level, 255, cv2.THRESH_BINARY)[1]) / grey.size


def _clearest_edge(grey: Grey) -> float:
    """Levels between neighbours, where that is most."""
    across, down = cv2.absdiff(grey[:, 1:], grey[:, :-1]), cv2.absdiff(grey[1:], grey[:-1])
    return float(np.quantile(np.concatenate([across.ravel(), down.ravel()]), _CLEAREST))
