"""What the decoders of dense heads share: thousands of candidates, each with class scores and a box."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ModelError
from edge.core.model import ModelLayout, OutputLayout
from edge.core.values import Detections, Tensor
from edge.infer.candidates import Candidates, ScoreGate, raw_view
from edge.infer.keeping import Keeper

_NOTHING = nullcontext()


@dataclass(frozen=True, slots=True, eq=False)
class DecodeSettings:
    """How much of what a model says is kept.

    threshold : scores from this one on, 0..1
    nms_iou : overlap above which the weaker box of a class goes
    max_boxes : at most so many per frame
    multi_label : one place may be several classes
    anchors : (n, 4) float32 centre y, centre x, height, width, 0..1, of a raw SSD whose file holds them as a constant
    """

    threshold: float
    nms_iou: float
    max_boxes: int = 300
    multi_label: bool = False
    anchors: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Plane:
    """One output seen as a plane of candidates by channels.

    axis : of the candidates: 0 = (candidates, channels), 1 = (channels, candidates)
    """

    output: OutputLayout
    shape: tuple[int, int]
    axis: int

    @property
    def candidates(self) -> int:
        return self.shape[self.axis]

    @property
    def channels(self) -> int:
        return self.shape[1 - self.axis]

    def of(self, outputs: tuple[Tensor, ...]) -> Tensor:
        """This output's tensor in the plane's shape."""
        return raw_view(outputs[self.output.index], self.shape)

    def rows(
        self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp], *, first: int = 0, last: int | None = None
    ) -> NDArray[np.float32]:
        """Channels first..last of some candidates as real numbers, (n, last - first)."""
        tensor = self.of(outputs)
        if self.axis == 0:
            raw = tensor.values[positions, first:last]
        else:  # taken, each channel stays in one piece of memory: what is done to whole columns is twice as fast
            raw = tensor.values[first:last].take(positions, axis=1).T
        return Tensor(raw, tensor.scale, tensor.zero_point).real()


def make_plane(layout: ModelLayout, role: str, *, channels: int | None = None, candidates: int | None = None) -> Plane:
    """The plane of an output whose number of channels or candidates is known.

    The layout's shape tells which axis is which; where both would fit (as many candidates as channels),
    ``layout.transposed`` decides.

    Raises
    ------
    ModelError
        When the layout lacks the role or no axis fits.
    """
    output = get_output(layout, role)
    # TF1 exports of raw SSDs write boxes as (1, N, 1, 4): axes of one hold nothing.
    sizes = tuple(size for size in output.shape[1:] if size != 1) if len(output.shape) > 3 else output.shape[1:]
    sizes = sizes if len(output.shape) >= 3 and output.shape[0] == 1 else output.shape
    if len(sizes) == 2:
        stated = 0 if layout.transposed else 1
        for axis in (stated, 1 - stated):
            if channels in (None, sizes[1 - axis]) and candidates in (None, sizes[axis]):
                return Plane(output, (sizes[0], sizes[1]), axis)
    wanted = f"{candidates or 'any number of'} candidates by {channels or 'any number of'} channels"
    raise ModelError(
        f"{layout.family} output {role} ({output.name}): expected {wanted} for {layout.classes} classes, "
        f"found the shape {output.shape}; is the number of labels right?"
    )


def get_output(layout: ModelLayout, role: str) -> OutputLayout:
    """The output that plays a role; ModelError when the layout names none."""
    try:
        return layout.outputs[role]
    except KeyError:
        raise ModelError(
            f"{layout.family}: expected an output with the role {role}, the layout has {', '.join(layout.outputs)}; "
            "inspect the model again (edge models inspect)"
        ) from None


class DenseHead(ABC):
    """Scores first, then boxes of the survivors, then NMS. A family says how its boxes are written."""

    _grows = False  # whether a family's boxes are powers of what the model says

    def __init__(self, layout: ModelLayout, settings: DecodeSettings, *, scores: Plane, first: int) -> None:
        """
        Parameters
        ----------
        scores : where the class scores are
        first : the channel of class 0 in it
        """
        self._layout = layout
        self._size = np.array([layout.input.width, layout.input.height] * 2, np.float32)
        self._scores = scores
        self._first, self._last = first, first + layout.classes
        self._has_real = any(np.dtype(output.dtype).kind not in "iu" for output in layout.outputs.values())
        self._gate = ScoreGate(
            scores.output, kind=layout.score_kind, threshold=settings.threshold, multi_label=settings.multi_label
        )
        self._keeper = Keeper(classes=layout.classes, nms_iou=settings.nms_iou, max_boxes=settings.max_boxes)

    @property
    def rejected(self) -> int:
        """Boxes dropped so far because they, or their scores, were none: inside out, infinite, not a number."""
        return self._keeper.rejected + self._gate.rejected

    def decode(self, outputs: tuple[Tensor, ...]) -> Detections:
        """Detections in model-input pixels, best first."""
        found = self._find(outputs)
        if len(found.positions) == 0:
            return Detections.empty()
        with self._overflowing():
            boxes = np.asarray(self._read_boxes(outputs, found.positions), np.float32)
        return self._keeper.keep(boxes, found)

    def _overflowing(self) -> AbstractContextManager[object]:
        """What overflows is dropped by the keeper; a few whole steps, scaled, do not."""
        return np.errstate(over="ignore", invalid="ignore") if self._has_real or self._grows else _NOTHING

    def _find(self, outputs: tuple[Tensor, ...]) -> Candidates:
        scores = self._scores
        return self._gate.select(scores.of(outputs), axis=scores.axis, first=self._first, last=self._last)

    @abstractmethod
    def _read_boxes(self, outputs: tuple[Tensor, ...], positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """(n, 4) x1, y1, x2, y2 in model-input pixels, of these candidates."""

    def _to_pixels(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes in the layout's units -> model-input pixels."""
        return boxes if self._layout.box_units == "pixels" else boxes * self._size
