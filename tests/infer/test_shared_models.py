"""The test data's models, run on its photographs."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.clock import SystemClock
from edge.core.errors import ModelError
from edge.core.geometry import pairwise_iou
from edge.core.values import Detections, Tensor
from edge.infer.decoding import make_decoder
from edge.infer.detector import Detector
from edge.infer.interpreter import open_interpreter
from edge.infer.preprocess import Preprocessor
from edge.infer.runtime import load_runtime
from tests.builders import make_frame
from tests.infer.default_model import default_model, sha256_of
from tests.infer.reference import decode_slowly
from tests.shared_models import shared_model

pytestmark = pytest.mark.shared

BUS_PEOPLE = [[51, 398, 243, 904], [221, 408, 343, 856], [671, 375, 810, 876]]
BUS = [[20, 230, 800, 760]]


def picture(shared: Path, name: str):
    return cv2.cvtColor(cv2.imread(str(shared / "data" / "images" / name)), cv2.COLOR_BGR2RGB)


def detect(shared: Path, file: str, name: str, *, threshold: float) -> Detections:
    model = shared_model(shared, file)
    interpreter = open_interpreter(model, load_runtime(), threads=2)
    decoder = make_decoder(model.layout, threshold=threshold)
    detector = Detector(model, interpreter, decoder=decoder, clock=SystemClock())
    detector.warm_up()
    return detector.detect(make_frame(picture(shared, name)))


def finds(found: Detections, class_id: int, truth: list[list[int]], *, iou: float) -> bool:
    boxes = found.boxes[found.class_ids == class_id]
    return bool((pairwise_iou(np.array(truth, np.float32), boxes) >= iou).any(axis=1).all())


@pytest.mark.parametrize(
    ("file", "bus"),
    [
        ("yolov8n_full_integer_416.tflite", 5),
        ("yolo11n_full_integer_416.tflite", 5),
        ("yolov8n_int8_floatio_640.tflite", 5),
        ("yolov5n_int8_floatio_320.tflite", 5),
        ("ssd_mobilenet_v1_coco_uint8.tflite", None),  # calls the bus a plane
    ],
)
def test_the_bus_and_the_three_people_in_front_of_it_are_found(shared, file, bus):
    found = detect(shared, file, "bus.jpg", threshold=0.3)

    assert finds(found, 0, BUS_PEOPLE, iou=0.7)
    assert bus is None or finds(found, bus, BUS, iou=0.8)


@pytest.mark.parametrize(
    ("file", "cat"),
    [
        ("yolov8n_full_integer_416.tflite", 15),
        ("yolo11n_full_integer_416.tflite", 15),
        ("yolov5n_int8_floatio_320.tflite", 15),
        ("ssd_mobilenet_v1_coco_uint8.tflite", 16),
        ("mobile_object_localizer_v1_uint8.tflite", 0),
    ],
)
def test_the_best_answer_to_a_cat_is_the_cat(shared, file, cat):
    found = detect(shared, file, "cat_720p.jpg", threshold=0.3)

    assert found.class_ids[0] == cat


@pytest.mark.parametrize("file", ["blazeface_short_range_128.tflite", "blazeface_full_range_sparse_192.tflite"])
def test_a_face_is_found(shared, file):
    found = detect(shared, file, "grace_hopper.bmp", threshold=0.7)

    assert len(found) == 1
    assert finds(found, 0, [[166, 128, 367, 329]], iou=0.8)


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize(
    "file",
    [
        "yolov8n_full_integer_416.tflite",
        "yolo11n_full_integer_416.tflite",
        "yolov5n_int8_floatio_320.tflite",
        "blazeface_full_range_sparse_192.tflite",
    ],
)
def test_real_outputs_are_read_as_a_slow_decoder_reads_them(shared, file, multi_label):
    model = shared_model(shared, file)
    tensor, _ = Preprocessor(model.layout.input).prepare(picture(shared, "bus.jpg"))
    outputs = open_interpreter(model, load_runtime(), threads=2).invoke(tensor)

    found = make_decoder(model.layout, threshold=0.05, multi_label=multi_label).decode(outputs)

    expected = decode_slowly(model.layout, outputs, threshold=0.05, multi_label=multi_label)
    assert len(found) == len(expected) > 0
    np.testing.assert_allclose(found.scores, [one.score for one in expected], rtol=1e-5)
    assert sorted(found.class_ids.tolist()) == sorted(one.class_id for one in expected)
    best = {round(one.score, 5): one.box for one in expected}
    assert found.boxes[0] == pytest.approx(np.array(best[round(float(found.scores[0]), 5)]), abs=0.01)


@pytest.mark.parametrize("name", ["face_detector_edgetpu", "custom_op_unresolved", "tflm_invalid_quantisation"])
def test_models_that_cannot_run_here_are_refused_in_one_sentence(shared, name):
    path = shared / "models" / "negative" / f"{name}.tflite"
    model = replace(default_model(), path=path, sha256=sha256_of(path))

    with pytest.raises(ModelError) as caught:
        open_interpreter(model, load_runtime(), threads=1)

    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_input_is_fed_as_the_file_wants_it(shared):
    model = shared_model(shared, "ssd_mobilenet_v1_coco_uint8.tflite")
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)

    tensor, _ = Preprocessor(model.layout.input).prepare(image)

    assert isinstance(tensor, Tensor)
    np.testing.assert_array_equal(tensor.values[0], image)
