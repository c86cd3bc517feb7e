"""A model to a detector that runs."""

from __future__ import annotations

import cv2
import pytest

from edge.assemble.detector import open_detector
from edge.assemble.model import find
from edge.core.errors import ModelError
from tests.builders import make_frame
from tests.cli.command import PHOTOGRAPHS


def test_the_default_model_sees_the_motorcycle() -> None:
    image = cv2.cvtColor(cv2.imread(str(PHOTOGRAPHS / "motorcycle_left.png")), cv2.COLOR_BGR2RGB)
    model = find("edge-default")

    detections = open_detector(model, threads=1, threshold=0.3).detect(make_frame(image))

    assert model.labels[detections.class_ids[0]] == "vehicle"
    assert detections.scores.min() >= 0.3


def test_the_threshold_is_the_cards_unless_another_is_asked_for() -> None:
    image = cv2.imread(str(PHOTOGRAPHS / "motorcycle_left.png"))
    model = find("edge-default")

    usual = open_detector(model, threads=1).detect(make_frame(image))
    more = open_detector(model, threads=1, threshold=0.05, max_boxes=7).detect(make_frame(image))

    assert all(usual.scores >= model.threshold)
    assert len(more) == 7


def test_a_cpu_model_does_not_run_on_an_edge_tpu() -> None:
    with pytest.raises(ModelError, match="compiled for the Edge TPU"):
        open_detector(find("edge-default"), accelerator="edgetpu:usb")
