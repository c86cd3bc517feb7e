"""What is blackened nobody sees."""

from __future__ import annotations

import numpy as np

from edge.capture.blackened import BlackenedSource
from tests.builders import make_frame
from tests.fakes import FakeSource


def test_inside_the_polygons_all_is_black_and_outside_nothing_changes() -> None:
    white = np.full((100, 200, 3), 255, np.uint8)
    frame = make_frame(white)
    left = [(0.0, 0.0), (0.25, 0.0), (0.25, 1.0), (0.0, 1.0)]
    corner = [(0.9, 0.9), (1.0, 0.9), (1.0, 1.0), (0.9, 1.0)]
    source = BlackenedSource(FakeSource([frame, None]), [left, corner])
    source.open()

    seen = source.read()

    assert seen is not None
    assert seen.image[:, :50].max() == 0
    assert seen.image[91:, 181:].max() == 0
    assert seen.image[:89, 52:].min() == 255
    assert white.min() == 255
    assert source.read() is None
    source.close()
