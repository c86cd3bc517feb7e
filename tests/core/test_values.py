from __future__ import annotations

import numpy as np
import pytest

from edge.core.values import Box, Detections, Tensor, as_detections


def test_int8_numbers_are_widened_before_they_are_subtracted() -> None:
    tensor = Tensor(np.array([-128, 0, 127], np.int8), scale=0.5, zero_point=-128)

    assert tensor.real().tolist() == [0.0, 64.0, 127.5]


def test_a_tensor_without_a_scale_holds_real_numbers_already() -> None:
    assert Tensor(np.array([1.5], np.float32)).real().tolist() == [1.5]


def test_detections_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected boxes \(2, 4\)"):
        Detections(np.zeros((1, 4), np.float32), np.zeros(2, np.float32), np.zeros(2, np.int32))


def test_detections_are_selected_in_the_order_asked_for() -> None:
    seen = as_detections([[0, 0, 1, 1], [2, 2, 3, 3]], [0.9, 0.5], [1, 2])

    turned = seen.select(np.array([1, 0]))

    assert turned.class_ids.tolist() == [2, 1]
    assert len(seen.select(seen.scores > 0.8)) == 1
    assert len(Detections.empty()) == 0


def test_a_box_is_told_as_parts_of_the_frame_and_never_beyond_it() -> None:
    assert Box(-10, 24, 320, 500).normalised(width=640, height=480) == (0.0, 0.05, 0.5, 1.0)
