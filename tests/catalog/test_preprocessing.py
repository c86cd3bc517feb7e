"""From pixels to a model's numbers: each pixel must arrive as its makers meant it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.catalog.metadata import Metadata
from edge.catalog.model_file import parse_model
from edge.catalog.preprocessing import layout_input
from edge.core.model import Family, InputLayout
from tests.tflite_builder import plain

_PIXELS = np.arange(256, dtype=np.float64)
_YOLO = [Family.YOLOV5, Family.YOLOV8, Family.YOLO_DFL, Family.YOLO_END2END, Family.LTRB]


def _layout(
    family: Family, dtype: str, scale: float = 0.0, zero_point: int = 0, metadata: Metadata | None = None
) -> InputLayout:
    model = parse_model(plain({}, dtype=dtype, scale=scale, zero_point=zero_point).to_bytes())
    return layout_input(model, family, metadata or Metadata())


def _stored(layout: InputLayout) -> NDArray[np.float64]:
    """What each pixel value becomes in a quantised input, by the layout's own rule."""
    limits = np.iinfo(layout.dtype)
    real = (_PIXELS - layout.mean[0]) / layout.std[0]
    return np.clip(np.round(real / layout.scale) + layout.zero_point, limits.min, limits.max)


@pytest.mark.parametrize(
    ("scale", "zero_point"), [(1 / 128, 128), (1 / 127.5, 128), (1 / 127.5, 127), (1.0, 0), (1 / 255, 0), (0.0186, 114)]
)
@pytest.mark.parametrize("family", [Family.SSD_POSTPROCESS, Family.SSD_RAW, Family.BLAZEFACE, Family.YOLOX])
def test_a_quantised_input_takes_the_bytes_themselves(family: Family, scale: float, zero_point: int) -> None:
    layout = _layout(family, "uint8", scale, zero_point)

    assert np.abs(_stored(layout) - _PIXELS).max() <= 1


@pytest.mark.parametrize("family", _YOLO)
@pytest.mark.parametrize(("dtype", "zero_point"), [("uint8", 0), ("int8", -128)])
def test_yolo_gets_zero_to_one(family: Family, dtype: str, zero_point: int) -> None:
    layout = _layout(family, dtype, 1 / 255, zero_point)

    assert layout.mean == (0.0,) * 3
    assert layout.std == (255.0,) * 3
    assert np.array_equal(_stored(layout), _PIXELS + zero_point)


@pytest.mark.parametrize("family", _YOLO)
def test_yolo_gets_zero_to_one_though_its_range_was_fitted_to_imagenet_pictures(family: Family) -> None:
    scale, zero_point = 0.01865844801068306, -14  # what onnx2tf writes when nobody tells it the pictures' range
    layout = _layout(family, "int8", scale, zero_point)

    assert np.abs(scale * (_stored(layout) - zero_point) - _PIXELS / 255).max() <= scale


@pytest.mark.parametrize("family", _YOLO)
@pytest.mark.parametrize(("scale", "zero_point"), [(1.0, -128), (1 / 128, 0)])
def test_yolo_with_a_range_of_bytes_or_of_minus_one_to_one_takes_the_bytes_shifted(
    family: Family, scale: float, zero_point: int
) -> None:
    assert np.array_equal(_stored(_layout(family, "int8", scale, zero_point)), _PIXELS - 128)


@given(st.floats(0.003, 0.02), st.integers(-128, 127))
def test_any_other_int8_range_takes_the_bytes_shifted(scale: float, zero_point: int) -> None:
    layout = _layout(Family.SSD_RAW, "int8", scale, zero_point)

    assert np.abs(_stored(layout) - (_PIXELS - 128)).max() <= 1


def test_an_eight_bit_input_without_quantisation_takes_the_bytes() -> None:
    assert np.array_equal(_stored(_layout(Family.SSD_RAW, "uint8")), _PIXELS)


@pytest.mark.parametrize(
    ("family", "mean", "std"),
    [
        (Family.YOLOV8, 0.0, 255.0),
        (Family.YOLOX, 0.0, 1.0),
        (Family.BLAZEFACE, 127.5, 127.5),
        (Family.SSD_POSTPROCESS, 127.5, 127.5),
        (Family.LTRB, 0.0, 255.0),
    ],
)
def test_a_real_input_gets_its_familys_range(family: Family, mean: float, std: float) -> None:
    layout = _layout(family, "float32")

    assert (layout.mean, layout.std) == ((mean,) * 3, (std,) * 3)
    assert layout.scale == 0.0


def test_a_stated_normalisation_wins_for_real_inputs() -> None:
    stated = Metadata(mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4))

    layout = _layout(Family.SSD_POSTPROCESS, "float32", metadata=stated)

    assert layout.mean == (123.7, 116.3, 103.5)
    assert layout.std == (58.4, 57.1, 57.4)


def test_a_stated_normalisation_that_means_the_bytes_is_taken_as_the_bytes() -> None:
    stated = Metadata(mean=(127.5,), std=(127.5,))

    assert np.array_equal(_stored(_layout(Family.SSD_POSTPROCESS, "uint8", 1 / 128, 128, stated)), _PIXELS)


def test_a_stated_normalisation_that_the_tensor_cannot_hold_is_not_followed() -> None:
    stated = Metadata(mean=(0.0,), std=(1.0,))

    assert np.array_equal(_stored(_layout(Family.SSD_POSTPROCESS, "uint8", 1 / 128, 128, stated)), _PIXELS)


@pytest.mark.parametrize("family", list(Family))
def test_ssds_are_stretched_and_all_others_letterboxed(family: Family) -> None:
    expected = "stretch" if family in {Family.SSD_POSTPROCESS, Family.SSD_RAW} else "letterbox"

    assert _layout(family, "float32").resize == expected


@pytest.mark.parametrize("family", list(Family))
def test_yolox_alone_takes_blue_first(family: Family) -> None:
    """Its makers read pictures with OpenCV and leave them so (YOLOX, yolox/data/data_augment.py)."""
    assert _layout(family, "float32").colours == ("bgr" if family is Family.YOLOX else "rgb")
