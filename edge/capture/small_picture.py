"""A small grey picture of a frame, for whoever wants to know little and pay less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

_WIDTH_PX = 320
_GREEN = 1


def stride_for(width: int) -> int:
    """Every how many pixels one is taken; 768 pixels across: every second."""
    return max(1, width // _WIDTH_PX)


def small_grey(image: NDArray[np.uint8]) -> Grey:
    """Pixels of the green channel, evenly spaced, about 320 across.

    Parameters
    ----------
    image : (height, width, 3) uint8, RGB

    Returns
    -------
    C-contiguous, a copy.

    Notes
    -----
    Green is most of what grey is made of. Taking pixels keeps what scaling would smooth away: the noise by which a
    living sensor is known, and the sharpness of edges. 0.02 to 0.07 ms; scaling and converting takes 0.1 to 0.2 ms.
    """
    step = stride_for(image.shape[1])
    return np.ascontiguousarray(image[::step, ::step, _GREEN])
