"""Thresholds in a tensor's own numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.model import OutputLayout
from edge.core.values import Tensor
from edge.infer.candidates import ScoreGate, as_scores, first_passing

DTYPES = ["int8", "uint8", "int16"]


def output(dtype, scale=0.0, zero_point=0):
    return OutputLayout(name="scores", index=0, shape=(1, 1, 1), dtype=dtype, scale=scale, zero_point=zero_point)


@settings(deadline=None)
@given(
    st.sampled_from(DTYPES),
    st.floats(1e-4, 0.2),
    st.floats(0, 1),
    st.sampled_from(["probability", "logit"]),
    st.data(),
)
def test_the_first_passing_step_is_the_first_whose_score_reaches_the_threshold(dtype, scale, threshold, kind, data):
    limits = np.iinfo(dtype)
    zero_point = data.draw(st.integers(limits.min, limits.max))

    first = first_passing(output(dtype, scale, zero_point), kind=kind, threshold=threshold)

    steps = np.arange(limits.min, limits.max + 1, dtype=np.dtype(dtype))
    scores = as_scores(Tensor(steps, scale, zero_point).real(), kind)
    np.testing.assert_array_equal(steps >= first, scores >= np.float32(threshold))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "float32"])
def test_candidates_equal_those_of_a_plain_loop(axis, multi_label, dtype):
    rng = np.random.default_rng(3)
    if dtype == "float32":
        values, layout = rng.random((50, 9)).astype(dtype), output(dtype)
    else:
        values, layout = rng.integers(0, 127, (50, 9)).astype(dtype), output(dtype, 1 / 127, 3)
    tensor = Tensor(np.ascontiguousarray(values if axis == 0 else values.T), layout.scale, layout.zero_point)
    gate = ScoreGate(layout, kind="probability", threshold=0.8, multi_label=multi_label)

    found = gate.select(tensor, axis=axis, first=4, last=9)

    real = Tensor(values, layout.scale, layout.zero_point).real()[:, 4:9]
    expected = [
        (i, c)
        for i in range(50)
        for c in range(5)
        if real[i, c] >= np.float32(0.8) and (multi_label or c == int(real[i].argmax()))
    ]
    assert list(zip(found.positions.tolist(), found.class_ids.tolist(), strict=True)) == expected
    np.testing.assert_array_equal(found.scores, [real[i, c] for i, c in expected])


@pytest.mark.parametrize("axis", [0, 1])
def test_box_channels_never_count_as_scores(axis):
    values = np.zeros((6, 7), np.int8)
    values[:, :4] = 127
    tensor = Tensor(values if axis == 0 else np.ascontiguousarray(values.T), 1 / 255, -128)
    gate = ScoreGate(output("int8", 1 / 255, -128), kind="probability", threshold=0.6, multi_label=False)

    assert len(gate.select(tensor, axis=axis, first=4, last=7).positions) == 0


def test_a_score_a_step_above_one_is_told_as_one():
    gate = ScoreGate(output("uint8", 1 / 200, 0), kind="probability", threshold=0.5, multi_label=False)

    found = gate.select(Tensor(np.full((1, 1), 255, np.uint8), 1 / 200, 0), axis=0, first=0, last=1)

    assert found.scores.tolist() == [1.0]
