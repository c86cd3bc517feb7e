"""Pixels into tensors: every number exact, the picture where the placement says, the padding intact."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.model import InputLayout
from edge.infer.preprocess import Preprocessor, pixel_table

SSD = {"mean": (128.0,) * 3, "std": (128.0,) * 3}


def layout(width=64, height=48, dtype="uint8", **changes):
    if dtype != "float32":
        changes = {"scale": 1 / 255, "zero_point": -128 if dtype == "int8" else 0, **changes}
    return InputLayout(name="image", width=width, height=height, dtype=dtype, **changes)


channels = st.tuples(st.floats(0, 255), st.floats(0, 255), st.floats(0, 255))
spreads = st.tuples(st.floats(1, 255), st.floats(1, 255), st.floats(1, 255))


@settings(deadline=None)
@given(st.sampled_from(["uint8", "int8", "float32"]), st.floats(1e-4, 0.1), st.integers(-128, 255), channels, spreads)
def test_the_table_equals_the_formula_for_every_pixel_value(dtype, scale, zero_point, mean, std):
    table = pixel_table(layout(dtype=dtype, scale=scale, zero_point=zero_point, mean=mean, std=std))

    for pixel in range(256):
        for channel in range(3):
            real = (pixel - mean[channel]) / std[channel]
            if dtype == "float32":
                assert table[pixel, channel] == np.float32(real)
            else:
                limits = np.iinfo(dtype)
                step = min(max(round(real / scale) + zero_point, limits.min), limits.max)
                assert table[pixel, channel] == step


CASES = {
    "as it is": layout(),
    "as it is, SSD's numbers": layout(scale=1 / 128, zero_point=128, **SSD),
    "sign bit": layout(dtype="int8"),
    "a table": layout(dtype="int8", scale=0.0186, zero_point=-14, mean=(123.7,) * 3, std=(58.4,) * 3),
    "a table per channel": layout(scale=0.02, zero_point=114, mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4)),
    "float": layout(dtype="float32"),
    "float per channel": layout(dtype="float32", mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4)),
    "float, raw pixels": layout(dtype="float32", std=(1.0,) * 3, pad=0),
}


@pytest.mark.parametrize("axes", ["nhwc", "nchw"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_way_of_converting_gives_the_numbers_of_the_table(case, axes):
    into = InputLayout(**{name: getattr(case, name) for name in case.__struct_fields__} | {"axes": axes})
    image = np.random.default_rng(1).integers(0, 256, (24, 64, 3), np.uint8)

    tensor, placement = Preprocessor(into).prepare(image)

    pixels = np.full((48, 64, 3), into.pad, np.uint8)
    pixels[placement.top : placement.top + 24] = image
    table = pixel_table(into)
    expected = np.stack([table[pixels[..., c], c] for c in range(3)], axis=-1)
    found = tensor.values[0] if axes == "nhwc" else tensor.values[0].transpose(1, 2, 0)
    assert tensor.values.dtype == into.dtype
    assert (tensor.scale, tensor.zero_point, tensor.name) == (into.scale, into.zero_point, "image")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axes", ["nhwc", "nchw"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_model_of_blue_green_red_gets_its_channels_in_that_order(case, axes):
    fields = {name: getattr(case, name) for name in case.__struct_fields__} | {"axes": axes}
    image = np.random.default_rng(1).integers(0, 256, (24, 64, 3), np.uint8)
    before = image.copy()

    found, _ = Preprocessor(InputLayout(**fields | {"colours": "bgr"})).prepare(image)
    wanted, _ = Preprocessor(InputLayout(**fields)).prepare(np.ascontiguousarray(image[..., ::-1]))

    np.testing.assert_array_equal(found.values, wanted.values)
    np.testing.assert_array_equal(image, before)


def test_the_letterbox_keeps_the_aspect_in_the_middle_and_pads_the_rest():
    white = np.full((100, 400, 3), 255, np.uint8)

    tensor, placement = Preprocessor(layout(64, 64, pad=7)).prepare(white)

    assert (placement.left, placement.top) == (0, 24)
    assert (tensor.values[0, 24:40] == 255).all()
    assert (tensor.values[0, :24] == 7).all()
    assert (tensor.values[0, 40:] == 7).all()


def test_stretching_fills_the_whole_input():
    white = np.full((100, 400, 3), 255, np.uint8)

    tensor, placement = Preprocessor(layout(64, 48, resize="stretch")).prepare(white)

    assert (tensor.values == 255).all()
    assert (placement.scale_x, placement.scale_y) == (64 / 400, 48 / 100)


def test_a_new_picture_size_leaves_nothing_of_the_old_one():
    preprocessor = Preprocessor(layout(64, 64))
    preprocessor.prepare(np.full((100, 400, 3), 255, np.uint8))

    tensor, _ = preprocessor.prepare(np.full((400, 100, 3), 9, np.uint8))

    assert set(np.unique(tensor.values).tolist()) == {9, 114}


def test_the_picture_itself_is_left_alone():
    image = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
    before = image.copy()

    Preprocessor(layout(dtype="int8")).prepare(image)

    np.testing.assert_array_equal(image, before)


def test_shrinking_is_linear_between_pixels():
    image = np.random.default_rng(2).integers(0, 256, (96, 128, 3), np.uint8)

    tensor, _ = Preprocessor(layout(64, 48)).prepare(image)

    np.testing.assert_array_equal(tensor.values[0], cv2.resize(image, (64, 48), interpolation=cv2.INTER_LINEAR))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 500),
    st.integers(1, 500),
    st.integers(8, 200),
    st.integers(8, 200),
    st.sampled_from(["letterbox", "stretch"]),
)
def test_boxes_come_back_from_the_input_to_where_they_were(width, height, to_width, to_height, resize):
    preprocessor = Preprocessor(layout(to_width, to_height, resize=resize))

    _, placement = preprocessor.prepare(np.zeros((height, width, 3), np.uint8))

    boxes = np.array([[0, 0, width, height], [width / 4, height / 3, width / 2, height * 0.9]], np.float32)
    there = placement.to_input(boxes)
    np.testing.assert_allclose(placement.to_source(there), boxes, atol=1e-2)
    assert (there >= -1e-3).all()
    assert (there <= np.array([to_width, to_height] * 2) + 1e-3).all()
