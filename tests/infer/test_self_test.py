"""The golden picture: a sound model passes, whatever computes nonsense does not."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from msgspec.structs import replace

from edge.core.clock import SystemClock
from edge.core.values import Tensor
from edge.infer.decoding import make_decoder
from edge.infer.detector import Detector
from edge.infer.golden import golden_picture
from edge.infer.interpreter import open_interpreter
from edge.infer.runtime import load_runtime
from edge.infer.self_test import Expected, run_self_test
from tests.infer.default_model import default_model

MODEL = default_model()


class Spoilt:
    """An interpreter whose outputs are changed on their way out."""

    def __init__(self, spoil) -> None:
        self._real = open_interpreter(MODEL, load_runtime(), threads=1)
        self._spoil = spoil

    def invoke(self, values: Tensor) -> tuple[Tensor, ...]:
        return tuple(replace(one, values=self._spoil(one)) for one in self._real.invoke(values))


def make_detector(spoil=lambda one: one.values) -> Detector:
    decoder = make_decoder(MODEL.layout, threshold=0.5)
    return Detector(MODEL, Spoilt(spoil), decoder=decoder, clock=SystemClock())


@pytest.fixture(scope="module")
def golden():
    verdict = run_self_test(make_detector(), Expected())
    assert verdict.golden is not None
    return verdict.golden


def test_the_picture_is_the_same_everywhere() -> None:
    picture = golden_picture(MODEL.layout.input)

    assert picture.shape == (288, 288, 3)
    assert zlib.crc32(picture.tobytes()) == 2672107499


def test_the_model_sees_something_in_the_picture(golden) -> None:
    scores = golden.outputs["scores"]

    assert max(scores.values) > 0.4  # a drawn person is one: far more than rounding may change


@pytest.mark.parametrize("is_own", [True, False])
def test_a_sound_model_passes(golden, is_own) -> None:
    assert run_self_test(make_detector(), Expected(golden, is_own=is_own)).fault is None


def test_another_chip_may_round_otherwise(golden) -> None:
    rng = np.random.default_rng(1)

    def rounded(one: Tensor):
        wide = one.values.astype(int) + rng.integers(-2, 3, one.values.shape)
        return np.clip(wide, -128, 127).astype(np.int8)

    assert run_self_test(make_detector(rounded), Expected(golden, is_own=False)).fault is None
    assert run_self_test(make_detector(rounded), Expected(golden, is_own=True)).fault is not None


def noise(one: Tensor):
    return np.random.default_rng().integers(-128, 128, one.values.shape).astype(np.int8)


def silence(one: Tensor):
    return np.full_like(one.values, one.zero_point)


def zeros(one: Tensor):
    return np.zeros_like(one.values)


def stale(one: Tensor):
    return np.roll(one.values, 7)


@pytest.mark.parametrize("spoil", [noise, silence, zeros, stale])
@pytest.mark.parametrize("is_own", [True, False])
def test_nonsense_is_told(golden, spoil, is_own) -> None:
    fault = run_self_test(make_detector(spoil), Expected(golden, is_own=is_own)).fault

    assert fault is not None
    assert "expected at most" in fault


def test_noise_is_told_even_when_nobody_knows_what_to_expect() -> None:
    verdict = run_self_test(make_detector(noise), Expected())

    assert verdict.fault is not None
    assert verdict.golden is None


def test_numbers_that_are_none_are_told(golden) -> None:
    verdict = run_self_test(make_detector(lambda one: np.full(one.values.shape, np.nan, np.float32)), Expected(golden))

    assert verdict.fault is not None
    assert "numbers that are none" in verdict.fault


def test_outputs_of_another_size_are_told(golden) -> None:
    fault = run_self_test(make_detector(lambda one: one.values[:, :100]), Expected(golden)).fault

    assert fault is not None
    assert "expected 6804" in fault
