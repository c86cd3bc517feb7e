"""The test data's models, run on its photographs."""

from pathlib import Path

import cv2
import pytest

from edge.core.clock import SystemClock
from edge.core.values import Detections
from edge.infer.decoding import make_decoder
from edge.infer.detector import Detector
from edge.infer.interpreter import open_interpreter
from edge.infer.runtime import load_runtime
from tests.builders import make_frame
from tests.shared_models import shared_model

pytestmark = pytest.mark.shared


def detect(shared: Path, file: str, picture: str, *, threshold: float) -> Detections:
    model = shared_model(shared, file)
    interpreter = open_interpreter(model, load_runtime(), threads=2)
    decoder = make_decoder(model.layout, threshold=threshold)
    detector = Detector(model, interpreter, decoder=decoder, clock=SystemClock())
    image = cv2.cvtColor(cv2.imread(str(shared / "data" / "images" / picture)), cv2.COLOR_BGR2RGB)
    return detector.detect(make_frame(image))


@pytest.mark.parametrize(
    "file", ["yolov8n_full_integer_416.tflite", "yolo11n_full_integer_416.tflite", "yolov8n_int8_floatio_640.tflite"]
)
def test_yolo_sees_the_bus_and_the_three_people_in_front_of_it(shared, file):
    found = detect(shared, file, "bus.jpg", threshold=0.5)

    people = found.select(found.class_ids == 0)
    buses = found.select(found.class_ids == 5)
    assert len(buses) == 1
    assert buses.boxes[0] == pytest.approx([20, 230, 800, 760], abs=35)
    assert sorted(round(x) for x in people.boxes[:, 0].tolist())[-3:] == pytest.approx([51, 221, 671], abs=15)
