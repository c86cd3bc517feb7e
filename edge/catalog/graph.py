"""Walks a graph backwards from a tensor: who made it, and does it depend on the picture?"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from edge.catalog.model_file import ModelFile, Operator, TensorInfo

# Operators that move numbers about, or restate them, without changing what they mean.
_CARRIERS = frozenset(
    {
        "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST", "QUANTIZE", "DEQUANTIZE", "TRANSPOSE", "CONCATENATION", "SLICE",
        "STRIDED_SLICE", "SPLIT", "SPLIT_V", "PACK", "UNPACK", "GATHER", "GATHER_ND", "PAD", "PADV2", "MAXIMUM",
        "MINIMUM", "STABLEHLO_COMPOSITE",
    }
)  # fmt: skip
_PLUMBING = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST", "QUANTIZE", "DEQUANTIZE", "SLICE", "STRIDED_SLICE"})
_RESTATERS = _PLUMBING | {"TRANSPOSE"}
_MAX_STEPS = 20_000


class Graph:
    """Questions about one model file's operators."""

    def __init__(self, model: ModelFile) -> None:
        self._model = model

    @cached_property
    def _makers(self) -> dict[int, Operator]:
        return {tensor: operator for operator in self._model.operators for tensor in operator.outputs}

    def slot_of(self, tensor: int, operator: Operator) -> int | None:
        """Which output of ``operator`` this tensor carries, through reshapes and casts alone; None = none of them."""
        for _ in range(_MAX_STEPS):
            maker = self._makers.get(tensor)
            if maker is operator:
                return operator.outputs.index(tensor)
            if maker is None or maker.name not in _PLUMBING or not maker.inputs:
                return None
            tensor = maker.inputs[0]
        return None

    def sources(self, tensor: int) -> set[str]:
        """Names of the operators that made this tensor's numbers: the first ones behind the carriers.

        "constant" and "input" stand for numbers that no operator made.
        """
        found: set[str] = set()
        for maker, at in self._behind(tensor, _CARRIERS):
            if maker is not None:
                found.add(maker.name)
            elif at in self._model.inputs:
                found.add("input")
            else:
                found.add("constant")
        return found

    def coarsest(self, tensor: int) -> TensorInfo | None:
        """Of the quantised tensors that these very numbers pass through, the one with the largest scale; None = none.

        A real output may have come through one: its values are steps of that scale all the same.
        """
        passed = []
        for _ in range(_MAX_STEPS):
            passed.append(self._model.tensors[tensor])
            maker = self._makers.get(tensor)
            if maker is None or maker.name not in _RESTATERS or not maker.inputs:
                break
            tensor = maker.inputs[0]
        return max((one for one in passed if one.is_quantised), key=lambda one: one.scale, default=None)

    def depends_on_picture(self, tensor: int) -> bool:
        """Whether the graph's input reaches this tensor."""
        return tensor in self._reached

    def names_behind(self, tensor: int, *, steps: int = 60) -> set[str]:
        """Names of the nearest operators behind a tensor, breadth first."""
        found: set[str] = set()
        queue, seen = [tensor], {tensor}
        while queue and len(seen) < steps:
            maker = self._makers.get(queue.pop(0))
            if maker is None:
                continue
            found.add(maker.name)
            fresh = [i for i in maker.inputs if i not in seen]
            seen.update(fresh)
            queue.extend(fresh)
        return found

    @cached_property
    def _reached(self) -> set[int]:
        # Operators stand in the order they run in, so one pass is enough.
        reached = set(self._model.inputs)
        for operator in self._model.operators:
            if any(i in reached for i in operator.inputs):
                reached.update(operator.outputs)
        return reached

    def _behind(self, tensor: int, through: Collection[str]) -> list[tuple[Operator | None, int]]:
        ends: list[tuple[Operator | None, int]] = []
        stack, seen = [tensor], {tensor}
        while stack and len(seen) < _MAX_STEPS:
            at = stack.pop()
            maker = self._makers.get(at)
            if maker is None or maker.name not in through:
                ends.append((maker, at))
                continue
            # Shape and axis inputs are constants; only what carries numbers is followed.
            carried = (
                maker.inputs if maker.name in {"CONCATENATION", "PACK", "MAXIMUM", "MINIMUM"} else maker.inputs[:1]
            )
            fresh = [i for i in carried if i not in seen]
            seen.update(fresh)
            stack.extend(fresh)
        return ends
