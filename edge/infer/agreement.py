"""Whether a loaded file is what its layout says: every name, shape, type and scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from edge.core.errors import ModelError
from edge.core.model import InputLayout, Model, OutputLayout


def check_against_layout(model: Model, native: Any) -> None:
    """Raises ModelError that names the first difference."""
    inputs, outputs = native.get_input_details(), native.get_output_details()
    if len(inputs) != 1:
        raise ModelError(f"{model.path}: expected one input, the file has {len(inputs)}")
    layout = model.layout.input
    _compare(
        f"{model.path}: input",
        OutputLayout(
            name=layout.name,
            index=0,
            shape=input_shape(layout),
            dtype=layout.dtype,
            scale=layout.scale,
            zero_point=layout.zero_point,
        ),
        inputs[0],
    )
    for role, expected in model.layout.outputs.items():
        if not 0 <= expected.index < len(outputs):
            raise ModelError(
                f"{model.path}: expected output {expected.index} for {role}, the file has {len(outputs)} outputs; "
                "inspect the model again"
            )
        _compare(f"{model.path}: output {expected.index} ({role})", expected, outputs[expected.index])


def _compare(where: str, expected: OutputLayout, details: dict[str, Any]) -> None:
    scale, zero_point = details["quantization"]
    shape = tuple(int(n) for n in details["shape"])
    checks: list[tuple[str, object, object, bool]] = [
        ("name", expected.name, details["name"], expected.name == details["name"]),
        ("shape", expected.shape, shape, _shapes_agree(expected.shape, shape)),
        ("type", expected.dtype, np.dtype(details["dtype"]).name, expected.dtype == np.dtype(details["dtype"]).name),
        ("scale", expected.scale, scale, math.isclose(expected.scale, scale, rel_tol=1e-5)),
        ("zero point", expected.zero_point, zero_point, expected.zero_point == zero_point),
        ("scales", 1, len(_scales(details)), len(_scales(details)) <= 1),
    ]
    for what, wanted, found, agrees in checks:
        if not agrees:
            raise ModelError(
                f"{where}: expected {what} {wanted!r}, the file has {found!r}; inspect the model again "
                "(edge models inspect)"
            )


def _scales(details: dict[str, Any]) -> Any:
    return details.get("quantization_parameters", {}).get("scales", ())


def _shapes_agree(expected: tuple[int, ...], found: tuple[int, ...]) -> bool:
    # In-graph post-processing gives its outputs a shape only when it first runs: () until then.
    return not expected or not found or expected == found


def input_shape(layout: InputLayout) -> tuple[int, int, int, int]:
    """Of the input tensor."""
    if layout.axes == "nchw":
        return (1, 3, layout.height, layout.width)
    return (1, layout.height, layout.width, 3)
