"""What every Interpreter must keep to."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.errors import ModelError
from edge.core.model import ModelLayout
from edge.core.protocols import Interpreter
from edge.core.values import Tensor


class InterpreterContract:
    """Inherit, and give the fixtures ``interpreter`` and ``layout``."""

    @pytest.fixture
    def interpreter(self) -> Interpreter:
        raise NotImplementedError

    @pytest.fixture
    def layout(self) -> ModelLayout:
        raise NotImplementedError

    @pytest.fixture
    def picture(self, layout) -> Tensor:
        return random_input(layout, seed=1)

    def test_outputs_come_in_the_order_of_the_file(self, interpreter, layout, picture):
        outputs = interpreter.invoke(picture)

        for output in layout.outputs.values():
            found = outputs[output.index]
            assert found.name == output.name
            assert found.values.shape == output.shape
            assert found.values.dtype == output.dtype
            assert (found.scale, found.zero_point) == (pytest.approx(output.scale), output.zero_point)

    def test_outputs_stay_valid_after_the_next_run(self, interpreter, layout, picture):
        outputs = interpreter.invoke(picture)
        copies = [output.values.copy() for output in outputs]

        interpreter.invoke(random_input(layout, seed=2))

        for output, copy in zip(outputs, copies, strict=True):
            np.testing.assert_array_equal(output.values, copy)

    def test_the_same_picture_gives_the_same_numbers(self, interpreter, layout, picture):
        first = interpreter.invoke(picture)
        interpreter.invoke(random_input(layout, seed=2))

        again = interpreter.invoke(picture)

        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one.values, other.values)

    def test_the_picture_is_left_alone(self, interpreter, picture):
        before = picture.values.copy()

        interpreter.invoke(picture)

        np.testing.assert_array_equal(picture.values, before)

    @pytest.mark.parametrize("wrong", ["shape", "type"])
    def test_a_picture_that_does_not_fit_is_refused_and_the_next_one_works(self, interpreter, picture, wrong):
        values = picture.values[:, 1:] if wrong == "shape" else picture.values.astype(np.float64)

        with pytest.raises(ModelError, match="the input must be"):
            interpreter.invoke(Tensor(values))

        assert interpreter.invoke(picture)


def random_input(layout: ModelLayout, *, seed: int) -> Tensor:
    into = layout.input
    shape = (1, into.height, into.width, 3) if into.axes == "nhwc" else (1, 3, into.height, into.width)
    bits = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    values = bits.view(into.dtype) if into.dtype != "float32" else bits.astype(np.float32) / 255
    return Tensor(values, into.scale, into.zero_point, into.name)
