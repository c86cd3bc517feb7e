"""Valid values from short lists, so that a test states only what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from edge.core.values import Frame

START = datetime(2026, 1, 1, tzinfo=UTC)


def make_frame(
    image: NDArray[np.uint8] | None = None,
    *,
    camera: str = "yard",
    sequence: int = 0,
    at_s: float = 0.0,
    size: tuple[int, int] = (64, 48),
) -> Frame:
    """A frame; grey unless an image is given. ``size`` is (width, height)."""
    if image is None:
        image = np.full((size[1], size[0], 3), 114, np.uint8)
    return Frame(image, camera, sequence, round(at_s * 1e9), START + timedelta(seconds=at_s))
