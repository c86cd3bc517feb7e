"""What a graph's operators tell about other processors."""

import pytest

from edge.catalog.arithmetic import arithmetic_of
from edge.catalog.store import find_model
from edge.core.errors import ModelError
from tests.catalog.made_models import yolov8


@pytest.mark.parametrize("name", ["edge-default", "edge-default-320"])
def test_the_models_in_the_box_round_alike_everywhere(name):
    arithmetic = arithmetic_of(find_model(name).path.read_bytes())

    assert (arithmetic.floating, arithmetic.uneven) == ((), ())


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "operator"),
    [
        ("ssd_mobilenet_v1_coco_uint8.tflite", "CONV_2D"),
        ("mobile_object_localizer_v1_uint8.tflite", "DEPTHWISE_CONV_2D"),
        ("yolov5n_int8_floatio_320.tflite", "MUL"),
        ("yolov8n_full_integer_416.tflite", "SOFTMAX"),
        ("yolo11n_full_integer_416.tflite", "FULLY_CONNECTED"),
    ],
)
def test_a_quantised_model_computes_with_whole_numbers_alone(shared, file, operator):
    arithmetic = arithmetic_of((shared / "models" / file).read_bytes())

    assert arithmetic.floating == ()
    assert operator in arithmetic.uneven


@pytest.mark.shared
@pytest.mark.parametrize("file", ["yolov8n_int8_floatio_640.tflite", "blazeface_short_range_128.tflite"])
def test_a_model_whose_weights_alone_are_quantised_computes_with_real_numbers(shared, file):
    arithmetic = arithmetic_of((shared / "models" / file).read_bytes())

    assert "CONV_2D" in arithmetic.floating
    assert not set(arithmetic.floating) & set(arithmetic.uneven)


def test_a_damaged_file_is_told():
    with pytest.raises(ModelError):
        arithmetic_of(yolov8().to_bytes()[:200])
