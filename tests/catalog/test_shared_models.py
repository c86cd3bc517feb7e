"""The test data's models, through the command: every good one recognised, every bad one refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.test_models import _edge

_GOOD = {
    "ssd_mobilenet_v1_coco_uint8": "ssd-postprocess",
    "mobile_object_localizer_v1_uint8": "ssd-postprocess",
    "yolov8n_full_integer_416": "yolov8",
    "yolov8n_int8_floatio_640": "yolov8",
    "yolo11n_full_integer_416": "yolov8",
    "yolov5n_int8_floatio_320": "yolov5",
    "blazeface_short_range_128": "blazeface",
    "blazeface_full_range_sparse_192": "blazeface",
}
_REFUSED = {
    "face_detector_edgetpu": "Edge TPU",
    "mobilenet_v1_025_128_classifier": "classifier",
    "custom_op_unresolved": "fake-op-double",
    "tflm_invalid_quantisation": "quantized_dimension",
}


@pytest.mark.shared
@pytest.mark.parametrize(("name", "family"), _GOOD.items())
def test_a_good_model_is_recognised_as_the_manifest_says(name: str, family: str, shared: Path, tmp_path: Path) -> None:
    manifest = yaml.safe_load((shared / "models" / "manifest.yaml").read_text())
    entry = next(e for e in manifest["models"] if e["file"] == f"{name}.tflite")

    found = _edge("models", "inspect", str(shared / "models" / entry["file"]), "--json", home=tmp_path)

    told = json.loads(found.stdout)
    stated = entry["inputs"][0]
    assert (found.returncode, told["usable"], told["family"]) == (0, True, family)
    assert told["sha256"] == entry["sha256"]
    assert told["backend"] == "cpu"
    assert [1, told["input"]["height"], told["input"]["width"], 3] == stated["shape"]
    assert told["input"]["dtype"] == stated["dtype"]
    assert told["input"]["scale"] == pytest.approx(stated["scale"])
    assert told["input"]["zero_point"] == stated["zero_point"]
    assert told["labels"] == (shared / "models" / entry["label_file"]).read_text().splitlines()


@pytest.mark.shared
@pytest.mark.parametrize(("name", "reason"), _REFUSED.items())
def test_a_bad_model_is_refused_with_its_reason(name: str, reason: str, shared: Path, tmp_path: Path) -> None:
    found = _edge("models", "inspect", str(shared / "models" / "negative" / f"{name}.tflite"), "--json", home=tmp_path)

    told = json.loads(found.stdout)
    assert (found.returncode, told["usable"]) == (78, False)
    assert reason in told["reason"]


@pytest.mark.shared
def test_our_own_first_models_are_recognised(shared: Path, tmp_path: Path) -> None:
    for path in sorted((shared / "models" / "own").glob("*.tflite")):
        told = json.loads(_edge("models", "inspect", str(path), "--json", home=tmp_path).stdout)

        assert told["family"] == "ltrb"
        assert len(told["labels"]) == 3
