"""The reference figures of the shared models, reached through the product's own path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.command import edge

TOLERANCE = 0.005
MODELS = (
    "ssd_mobilenet_v1_coco_uint8",
    "yolov5n_int8_floatio_320",
    "yolov8n_full_integer_416",
    "yolo11n_full_integer_416",
    "yolov8n_int8_floatio_640",
)


def measure(shared: Path, model: str, *more: str) -> dict[str, Any]:
    images = shared / "data" / "coco-dev"
    answer = edge(
        "eval", "--model", model, "--images", images / "images", "--annotations", images / "instances.json",
        "--json", *more,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    (result,) = answer.objects()
    return result


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_each_coco_model_reaches_its_reference_map(shared: Path, model: str) -> None:
    reference = yaml.safe_load((shared / "data" / "coco-dev" / "reference-metrics.yaml").read_text())["models"][model]

    result = measure(shared, str(shared / "models" / f"{model}.tflite"))

    assert result["images"] == 103
    assert result["map"] == pytest.approx(reference["all80"]["mAP"], abs=TOLERANCE)
    assert result["ap50"] == pytest.approx(reference["all80"]["AP50"], abs=TOLERANCE)
    assert result["per_class"]["person"]["ap"] == pytest.approx(reference["person"]["mAP"], abs=TOLERANCE)


@pytest.mark.shared
@pytest.mark.slow
def test_the_default_model_keeps_its_quality(shared: Path) -> None:
    """As its card says."""
    result = measure(shared, "edge-default")

    assert result["per_class"]["person"]["ap50"] == pytest.approx(0.379, abs=0.01)
    assert result["per_class"]["vehicle"]["ap50"] == pytest.approx(0.425, abs=0.01)


@pytest.mark.shared
def test_the_first_twenty_pictures_show_a_broken_path(shared: Path) -> None:
    """Measured: 0.329; with red and blue exchanged 0.277, with boxes 8 pixels off 0.153."""
    model = shared / "models" / "yolov8n_full_integer_416.tflite"

    assert measure(shared, str(model), "--limit", "20")["map"] == pytest.approx(0.329, abs=0.02)
