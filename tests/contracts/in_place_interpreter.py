"""What every InPlaceInterpreter must keep to: no copies, and still the numbers of ``invoke``."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.protocols import InPlaceInterpreter
from tests.contracts.interpreter import random_input


def copied(outputs):
    return [(one.name, one.scale, one.zero_point, one.values.copy()) for one in outputs]


class InPlaceInterpreterContract:
    """Inherit beside InterpreterContract, which has the fixtures."""

    def test_it_says_that_it_lends_its_arrays(self, interpreter):
        assert isinstance(interpreter, InPlaceInterpreter)

    def test_in_place_the_outputs_are_bit_equal_to_copied_ones(self, interpreter, layout):
        for seed in (1, 2, 3):
            picture = random_input(layout, seed=seed)

            found = interpreter.invoke_in_place(lambda into, values=picture.values: np.copyto(into, values), copied)

            for (name, scale, zero_point, values), expected in zip(found, interpreter.invoke(picture), strict=True):
                assert (name, scale, zero_point) == (expected.name, expected.scale, expected.zero_point)
                np.testing.assert_array_equal(values, expected.values)

    def test_what_one_fill_wrote_is_there_for_the_next(self, interpreter, layout):
        first = random_input(layout, seed=1).values
        interpreter.invoke_in_place(lambda into: np.copyto(into, first), copied)
        seen = []

        def change_one_row(into):
            seen.append(into.copy())
            into[0, 0] = first[0, 1]

        for _ in range(2):
            interpreter.invoke_in_place(change_one_row, copied)

        np.testing.assert_array_equal(seen[0], first)
        np.testing.assert_array_equal(seen[1][0, 0], first[0, 1])
        np.testing.assert_array_equal(seen[1][0, 1:], first[0, 1:])

    def test_a_copied_run_in_between_changes_nothing_of_what_a_fill_wrote(self, interpreter, layout):
        first = random_input(layout, seed=1).values
        for _ in range(2):
            interpreter.invoke_in_place(lambda into: np.copyto(into, first), copied)
        interpreter.invoke(random_input(layout, seed=2))
        seen = []

        interpreter.invoke_in_place(lambda into: seen.append(into.copy()), copied)

        np.testing.assert_array_equal(seen[0], first)

    @pytest.mark.parametrize("which", ["fill", "read"])
    def test_an_error_of_a_caller_is_raised_and_the_next_run_works(self, interpreter, layout, which):
        picture = random_input(layout, seed=1)

        def fail(_):
            raise ZeroDivisionError

        def write(into):
            np.copyto(into, picture.values)

        with pytest.raises(ZeroDivisionError):
            interpreter.invoke_in_place(fail if which == "fill" else write, fail)

        assert interpreter.invoke_in_place(write, len) == len(interpreter.invoke(picture))
