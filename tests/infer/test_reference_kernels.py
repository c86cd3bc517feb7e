"""The runtime's reference kernels: slow, and the same on every processor."""

import hashlib

import numpy as np
import pytest

from edge.core.values import Tensor
from edge.infer.interpreter import LiteInterpreter, open_interpreter
from edge.infer.runtime import load_runtime
from tests.shared_models import shared_model

pytestmark = pytest.mark.shared


def made_picture(interpreter: LiteInterpreter) -> Tensor:
    """Slopes and waves in whole numbers, the same everywhere."""
    facts = interpreter._input
    _, height, width, _ = facts["shape"]
    rows, columns, channels = np.ogrid[:height, :width, :3]
    values = (rows * 3 + columns * 5 + channels * 70 + rows * columns // 16) % 256
    return Tensor((values + np.iinfo(facts["dtype"]).min).astype(facts["dtype"])[None], 0.0, 0, "picture")


@pytest.mark.parametrize(
    ("file", "digest"),
    [
        ("ssd_mobilenet_v1_coco_uint8.tflite", "423f3fbc0e887a1d"),
        ("mobile_object_localizer_v1_uint8.tflite", "7a45842a691d504e"),
        ("yolov5n_int8_floatio_320.tflite", "2f2f36991b4c91e2"),
        ("yolov8n_full_integer_416.tflite", "2769b32855098b2a"),
        ("yolo11n_full_integer_416.tflite", "16bb3c99368f136b"),
    ],
)
def test_the_outputs_of_a_quantised_model_are_the_same_to_the_byte(shared, file, digest):
    """The digests are those of an x86-64 and of an emulated Cortex-A72 (LiteRT 2.3, QEMU 10)."""
    interpreter = open_interpreter(shared_model(shared, file), load_runtime().with_reference_kernels(), threads=2)

    outputs = interpreter.invoke(made_picture(interpreter))

    assert hashlib.sha256(b"".join(each.values.tobytes() for each in outputs)).hexdigest()[:16] == digest
    assert not interpreter.is_delegated
