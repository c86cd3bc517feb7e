"""Whether a model's numbers come out the same on every kind of processor, as its operators tell."""

from __future__ import annotations

from dataclasses import dataclass

from edge.catalog.model_file import ModelFile, Operator, parse_model
from edge.catalog.ssd import POSTPROCESS

_REAL = frozenset({"float16", "bfloat16", "float32", "float64"})
# Numbers are only moved or compared: the same everywhere, whatever they are.
_MOVING = frozenset({
    "CONCATENATION", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "MAXIMUM", "MAX_POOL_2D", "MINIMUM", "PACK", "PAD",
    "PADV2", "RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "SLICE", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V",
    "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK",
})  # fmt: skip
# Real numbers made of whole ones by a single multiplication, which IEEE 754 rounds alike everywhere; and the SSD's
# post-processing, which was measured to round alike (docs/measurements.md).
_EXACT_WITH_REALS = _MOVING | {"DENSIFY", "DEQUANTIZE", "RELU", POSTPROCESS}
# The fast kernels (XNNPACK's) of these, for int8: whole sums, scaled by one product of reals that is rounded to the
# nearest even number on x86-64 and aarch64 alike, or no arithmetic at all. Graphs with others, and those of uint8, were
# seen to differ. Measured: docs/measurements.md.
_ALIKE_WHEN_FAST = _MOVING | {"ADD", "CONV_2D", "DEPTHWISE_CONV_2D", "LOGISTIC"}


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What of a graph may round otherwise on another kind of processor.

    floating : operators that compute with floating-point numbers: no kernels of the runtime do that alike everywhere
    uneven : operators on whole numbers whose fast kernels round otherwise; the runtime's reference kernels do not
    """

    floating: tuple[str, ...]
    uneven: tuple[str, ...]


def arithmetic_of(content: bytes) -> Arithmetic:
    """Of a model file's content; raises ModelError when it is damaged."""
    file = parse_model(content)
    floating = {operator.name for operator in file.operators if _is_floating(operator, file)}
    uneven = {operator.name for operator in file.operators if not _is_alike_when_fast(operator, file)}
    return Arithmetic(tuple(sorted(floating)), tuple(sorted(uneven - floating)))


def _is_floating(operator: Operator, file: ModelFile) -> bool:
    if operator.name in _EXACT_WITH_REALS:
        return False
    # what a stranger's operator computes with cannot be seen from outside; nor what a loop's body does
    return operator.custom or operator.name in ("IF", "WHILE", "CALL") or bool(_dtypes(operator, file) & _REAL)


def _is_alike_when_fast(operator: Operator, file: ModelFile) -> bool:
    return operator.name in _ALIKE_WHEN_FAST and _dtypes(operator, file) == {"int8"}


def _dtypes(operator: Operator, file: ModelFile) -> set[str]:
    """Of what it answers."""
    return {file.tensors[index].dtype for index in operator.outputs}
