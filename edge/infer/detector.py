"""Frame in, detections in the frame's own pixels out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import Placement, place_stretch
from edge.core.model import Model
from edge.core.protocols import Clock, Decoder, InPlaceInterpreter, Interpreter
from edge.core.values import Detections, Frame, StageTimes, Tensor
from edge.infer.preprocess import Preprocessor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Detector:
    """Preprocess, run, decode, map back: the one way a frame takes through a model. For one thread.

    times : what each stage of the newest frame took
    """

    def __init__(self, model: Model, interpreter: Interpreter, *, decoder: Decoder, clock: Clock) -> None:
        self._model = model
        self._interpreter = interpreter
        self._decoder = decoder
        self._clock = clock
        self._in_place = interpreter if isinstance(interpreter, InPlaceInterpreter) else None
        self._preprocessor = Preprocessor(model.layout.input)
        self.times = StageTimes()

    @property
    def interpreter(self) -> Interpreter:
        return self._interpreter

    @property
    def model(self) -> Model:
        return self._model

    def detect(self, frame: Frame) -> Detections:
        """What the model sees in a frame.

        Returns
        -------
        Boxes in source-frame pixels, never outside the frame nor empty; scores descending.

        Raises
        ------
        ModelError
            When the run fails.
        """
        started = self._clock.monotonic_ns()
        if self._in_place is None:
            tensor, placement = self._preprocessor.prepare(frame.image)
            look = _Look(placement, prepared_ns=self._clock.monotonic_ns())
            self._read(look, self._interpreter.invoke(tensor))
        else:
            look = self._detect_in_place(frame, self._in_place)
        found = look.found
        detections = _in_frame(found, look.placement) if len(found) else found
        self.times = StageTimes(
            capture=max(0.0, _ms(frame.captured_ns, started)),
            preprocess=_ms(started, look.prepared_ns),
            infer=_ms(look.prepared_ns, look.ran_ns),
            decode=_ms(look.ran_ns, self._clock.monotonic_ns()),
        )
        return detections

    def shrink(self, frame: Frame) -> Frame:
        """The frame with its picture made small ahead; for the thread that captured it, beside ``detect``."""
        return replace(frame, resized=self._preprocessor.shrink(frame.image))

    def _detect_in_place(self, frame: Frame, interpreter: InPlaceInterpreter) -> _Look:
        look = _Look(_NOWHERE)

        def fill(values: NDArray[Any]) -> None:
            look.placement = self._preprocessor.fill(frame.image, frame.resized, into=values)
            look.prepared_ns = self._clock.monotonic_ns()

        interpreter.invoke_in_place(fill, lambda outputs: self._read(look, outputs))
        return look

    def _read(self, look: _Look, outputs: tuple[Tensor, ...]) -> None:
        look.ran_ns = self._clock.monotonic_ns()
        look.found = self._decoder.decode(outputs)

    def warm_up(self) -> None:
        """Run once on an empty picture: the first run takes longer, and shows whether the model runs at all."""
        size = self._model.layout.input
        image = np.full((size.height, size.width, 3), size.pad, np.uint8)
        self.detect(Frame(image, "", 0, self._clock.monotonic_ns(), _EPOCH))
        self.times = StageTimes()


@dataclass(slots=True)
class _Look:
    """What one run came to, step by step."""

    placement: Placement
    prepared_ns: int = 0
    ran_ns: int = 0
    found: Detections = field(default_factory=Detections.empty)


_NOWHERE = place_stretch(source=(1, 1), target=(1, 1))


def _in_frame(found: Detections, placement: Placement) -> Detections:
    boxes = placement.to_source(found.boxes)
    # What lay in the padding alone is cut down to nothing.
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    detections = Detections(boxes, found.scores, found.class_ids)
    return detections if inside.all() else detections.select(inside)


def _ms(start_ns: int, end_ns: int) -> float:
    return (end_ns - start_ns) / 1e6
