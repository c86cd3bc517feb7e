"""The golden picture: always the same, so that a model's numbers for it tell whether what computes them is sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.core.model import Family, InputLayout, ModelLayout
from edge.core.values import Tensor
from edge.infer.golden_street import draw_street

PICTURE = 2  # counts up when the picture below changes: numbers of another one say nothing
_LOUDEST = 192  # the numbers furthest from the usual one: what the model sees in the picture
_SPREAD = 64  # and some from everywhere


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some of one output's real numbers.

    places : where in the flattened output; values : what stood there
    size : of the whole output
    step : one step of its quantisation; 0 for real numbers
    """

    places: tuple[int, ...]
    values: tuple[float, ...]
    size: int
    step: float = 0.0


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model's outputs were for the golden picture, by role; sorted, where the order of an output is free."""

    outputs: dict[str, Sample]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far numbers may be apart (root mean square): the larger of a part of their own size and so many steps."""

    part: float
    steps: float


# The same file on the same runtime gives the same steps; real numbers may differ in their last bits with the threads.
SAME = Tolerance(part=0.01, steps=1.0)
# Another chip rounds otherwise in every layer, and its compiler may merge scales. Noise, zeros and silence are 5 times
# further away or more.
TWIN = Tolerance(part=0.25, steps=6.0)
# Probabilities and pixels in 0..1 that come out as real numbers have no steps of their own: those of 8 bits.
_STEP_OF_REAL = 1 / 256


def golden_picture(layout: InputLayout) -> NDArray[np.uint8]:
    """Something for a detector to see, (height, width, 3) uint8: the same on every machine.

    In the size of the model's input, so that no library's way of resizing has a say in the numbers.
    """
    return draw_street(layout.width, layout.height)


def observe(outputs: tuple[Tensor, ...], layout: ModelLayout) -> Golden:
    """What is kept of the outputs for the golden picture."""
    return Golden({role: _sample(outputs, layout, role) for role in _compared(layout)})


def disagreement(
    expected: Golden, outputs: tuple[Tensor, ...], layout: ModelLayout, tolerance: Tolerance
) -> str | None:
    """Why these outputs can't be trusted, in words; None when they are what was expected.

    Raises nothing for any content: a broken device may answer anything.
    """
    for role, sample in expected.outputs.items():
        output = layout.outputs.get(role)
        if output is None or output.index >= len(outputs):
            return f"there is no output {role}"
        fault = _fault(role, sample, _numbers(outputs, layout, role), tolerance)
        if fault is not None:
            return fault
    return None


def implausible(outputs: tuple[Tensor, ...]) -> str | None:
    """What is wrong with outputs whatever the model: numbers that are none."""
    for output in outputs:
        if output.values.dtype.kind == "f" and not np.isfinite(output.values).all():
            return f"the output {output.name or '?'} holds numbers that are none"
    return None


def _fault(role: str, sample: Sample, numbers: NDArray[np.float32], tolerance: Tolerance) -> str | None:
    if numbers.size != sample.size:
        return f"the output {role} has {numbers.size} numbers, expected {sample.size}"
    found = numbers[list(sample.places)].astype(np.float64)
    if not np.isfinite(found).all():
        return f"the output {role} holds numbers that are none"
    expected = np.asarray(sample.values, np.float64)
    step = sample.step or _STEP_OF_REAL * min(1.0, _root_mean_square(expected) or 1.0)
    for part in (slice(0, min(_LOUDEST, len(expected))), slice(_LOUDEST, None)):
        if not expected[part].size:
            continue
        apart = _root_mean_square(found[part] - expected[part])
        allowed = max(tolerance.part * float(expected[part].std()), tolerance.steps * step)
        if apart > allowed:
            return f"the output {role} is {apart:.3g} away from what it was, expected at most {allowed:.3g}"
    return None


def _sample(outputs: tuple[Tensor, ...], layout: ModelLayout, role: str) -> Sample:
    numbers = _numbers(outputs, layout, role)
    usual = np.median(numbers) if numbers.size else 0.0
    loudest = np.argsort(-np.abs(numbers - usual), kind="stable")[:_LOUDEST]
    spread = np.linspace(0, max(0, numbers.size - 1), _SPREAD if numbers.size > _LOUDEST else 0).astype(int)
    places = [*loudest.tolist(), *spread.tolist()]
    step = outputs[layout.outputs[role].index].scale
    return Sample(tuple(places), tuple(numbers[places].astype(float).tolist()), int(numbers.size), step)


def _compared(layout: ModelLayout) -> Mapping[str, object]:
    if layout.family is Family.SSD_POSTPROCESS:
        # Which boxes come first hangs on the last digit of their scores: the scores alone can be compared.
        return {role: layout.outputs[role] for role in ("scores",) if role in layout.outputs}
    return layout.outputs


def _numbers(outputs: tuple[Tensor, ...], layout: ModelLayout, role: str) -> NDArray[np.float32]:
    numbers = outputs[layout.outputs[role].index].real().ravel()
    return np.sort(numbers)[::-1] if layout.family is Family.SSD_POSTPROCESS else numbers


def _root_mean_square(numbers: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(numbers))))
