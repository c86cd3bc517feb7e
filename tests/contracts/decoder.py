"""What every Decoder must keep to, whatever numbers come."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge.core.values import Detections, Tensor


def check_decoder_answer(found: Detections, *, max_boxes: int, threshold: float, classes: int) -> None:
    """The promises about one answer."""
    assert len(found) <= max_boxes
    assert found.boxes.dtype == np.float32
    assert found.scores.dtype == np.float32
    assert found.class_ids.dtype == np.int32
    assert np.isfinite(found.boxes).all()
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.scores >= np.float32(threshold)) & (found.scores <= 1)).all()
    assert ((found.class_ids >= 0) & (found.class_ids < classes)).all()


def check_decoder_keeps_inputs(decode: Callable[[tuple[Tensor, ...]], Detections], outputs: tuple[Tensor, ...]) -> None:
    """Decoding changes nothing it was given, and answers the same again."""
    before = [tensor.values.copy() for tensor in outputs]

    first, second = decode(outputs), decode(outputs)

    for tensor, copy in zip(outputs, before, strict=True):
        np.testing.assert_array_equal(tensor.values, copy)
    np.testing.assert_array_equal(first.boxes, second.boxes)
    np.testing.assert_array_equal(first.scores, second.scores)
