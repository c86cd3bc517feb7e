"""What YOLOv5 and YOLOX share: one plane of 4 box channels, objectness, and the classes."""

from __future__ import annotations

import numpy as np

from edge.core.model import ModelLayout
from edge.core.values import Tensor
from edge.infer.candidates import Candidates, as_scores, first_passing
from edge.infer.head import DecodeSettings, DenseHead, make_plane

_OBJECTNESS = 4
_FIRST_CLASS = 5


class ObjectnessHead(DenseHead):
    """A score is objectness * class, so only places whose objectness alone passes are looked at further."""

    def __init__(self, layout: ModelLayout, settings: DecodeSettings) -> None:
        self._plane = make_plane(layout, "output", channels=_FIRST_CLASS + layout.classes)
        super().__init__(layout, settings, scores=self._plane, first=_FIRST_CLASS)
        # A quantised probability can come out half a step above 1, and so lift a score above its objectness.
        allowance = 1.0 + self._plane.output.scale
        self._raw_objectness = first_passing(
            self._plane.output, kind=layout.score_kind, threshold=settings.threshold / allowance
        )

    def _find(self, outputs: tuple[Tensor, ...]) -> Candidates:
        raw = self._plane.of(outputs).values
        objectness = raw[:, _OBJECTNESS] if self._plane.axis == 0 else raw[_OBJECTNESS]
        # Not "at least": what is no number is looked at too, and counted.
        positions = np.flatnonzero(~(objectness < self._raw_objectness))
        scores = as_scores(
            self._plane.rows(outputs, positions, first=_OBJECTNESS, last=self._last), self._layout.score_kind
        )
        return self._gate.settle(positions, scores[:, :1] * scores[:, 1:])
