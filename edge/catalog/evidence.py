"""What recognition may look at: the graph, its metadata, and one run's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.catalog.graph import Graph
from edge.catalog.metadata import Metadata
from edge.catalog.model_file import ModelFile, TensorInfo
from edge.catalog.trial import TrialRun
from edge.core.model import AnchorLayout, Family, OutputLayout


@dataclass(frozen=True, slots=True, eq=False)
class OutputView:
    """One graph output. ``values``: raw numbers of the trial run, None without one."""

    position: int
    tensor: TensorInfo
    shape: tuple[int, ...]
    values: NDArray[Any] | None

    @property
    def plane(self) -> tuple[int, int] | None:
        """(rows, columns) without the batch axis and one further single axis; None if it is no table.

        (1, 84, 3549) -> (84, 3549); (1, 1917, 1, 4) -> (1917, 4); (1, 84, 3549, 1) -> (84, 3549).
        """
        if len(self.shape) == 2 and self.shape[0] > 1:
            return self.shape[0], self.shape[1]
        if len(self.shape) not in {3, 4} or self.shape[0] != 1:
            return None
        axes = list(self.shape[1:])
        if len(axes) == 3:
            if 1 not in axes:
                return None
            # (1, n, 1, 1) is one column: of the single axes the first that is not the last goes.
            axes.remove(1) if 1 in axes[:2] else axes.pop()
        return axes[0], axes[1]

    @property
    def real(self) -> NDArray[np.float32] | None:
        """The run's numbers as real ones."""
        if self.values is None:
            return None
        wide = self.values.astype(np.float32)
        if not self.is_quantised:
            return wide
        return (wide - np.float32(self.tensor.zero_point)) * np.float32(self.tensor.scale)

    @property
    def is_quantised(self) -> bool:
        return self.tensor.is_quantised

    @property
    def limits(self) -> tuple[float, float] | None:
        """The smallest and largest real number that a quantised output can hold; None for a real one."""
        return self.tensor.limits

    def table(self, *, transposed: bool) -> NDArray[np.float32] | None:
        """Real numbers as (candidates, channels)."""
        real, plane = self.real, self.plane
        if real is None or plane is None:
            return None
        rows = real.reshape(plane)
        return rows if transposed else rows.T

    def layout(self) -> OutputLayout:
        return OutputLayout(
            name=self.tensor.name,
            index=self.position,
            shape=self.shape,
            dtype=self.tensor.dtype,
            scale=self.tensor.scale if self.is_quantised else 0.0,
            zero_point=self.tensor.zero_point if self.is_quantised else 0,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All there is to judge by.

    width, height : of the input, pixels
    hint : the family the user names; label_count : labels that the user or the file gives, 0 = none
    """

    model: ModelFile
    graph: Graph
    metadata: Metadata
    outputs: tuple[OutputView, ...]
    width: int
    height: int
    hint: Family | None = None
    label_count: int = 0

    def tables(self) -> list[str]:
        """The outputs in words, for messages."""
        return [f"{view.tensor.name or view.position} {list(view.shape)} {view.tensor.dtype}" for view in self.outputs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """How the outputs are to be read; the fields mean what they mean in ModelLayout.

    outputs : role -> position among the graph's outputs
    classes : None where the outputs do not show it
    notes : what was assumed, in words
    """

    family: Family
    outputs: dict[str, int]
    classes: int | None
    box_units: str = "normalised"
    score_kind: str = "probability"
    background: bool = False
    grid: str = "decoded"
    transposed: bool = False
    strides: tuple[int, ...] = (8, 16, 32)
    anchors: AnchorLayout | None = None
    notes: tuple[str, ...] = ()


def view_outputs(model: ModelFile, run: TrialRun | None) -> tuple[OutputView, ...]:
    """The graph's outputs, with shapes as the run gave them."""
    views = []
    for position, index in enumerate(model.outputs):
        tensor = model.tensors[index]
        values = run.outputs[position] if run and position < len(run.outputs) else None
        shape = tuple(values.shape) if values is not None else tensor.shape
        views.append(OutputView(position, tensor, shape, values))
    return tuple(views)
