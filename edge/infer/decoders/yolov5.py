"""YOLOv5, and YOLOv7 exports of the same form: 5 + classes channels, the fifth being objectness.

Boxes are centre x, centre y, width, height; a score is objectness * class.
Source: ultralytics/yolov5 models/tf.py (TFDetect) and utils/general.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import centre_to_corner
from edge.core.values import Tensor
from edge.infer.objectness import ObjectnessHead


class Yolov5Decoder(ObjectnessHead):
    """[1, n, 5 + classes] or its transpose."""

    def _read_boxes(self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        return self._to_pixels(centre_to_corner(self._plane.rows(outputs, positions, last=4)))
