"""Frame in, detections in the frame's own pixels out."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from edge.core.geometry import Placement
from edge.core.model import Model
from edge.core.protocols import Clock, Decoder, Interpreter
from edge.core.values import Detections, Frame, StageTimes
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
        self._preprocessor = Preprocessor(model.layout.input)
        self.times = StageTimes()

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
        tensor, placement = self._preprocessor.prepare(frame.image)
        prepared = self._clock.monotonic_ns()
        outputs = self._interpreter.invoke(tensor)
        ran = self._clock.monotonic_ns()
        found = self._decoder.decode(outputs)
        detections = _in_frame(found, placement) if len(found) else found
        self.times = StageTimes(
            capture=max(0.0, _ms(frame.captured_ns, started)),
            preprocess=_ms(started, prepared),
            infer=_ms(prepared, ran),
            decode=_ms(ran, self._clock.monotonic_ns()),
        )
        return detections

    @property
    def interpreter(self) -> Interpreter:
        return self._interpreter

    def decode_with(self, decoder: Decoder) -> None:
        """From the next frame on."""
        self._decoder = decoder

    def fingerprint(self, frame: Frame) -> tuple[float, ...]:
        """Mean and spread of each output's numbers: the same frame gives the same, unless something is broken."""
        tensor, _ = self._preprocessor.prepare(frame.image)
        outputs = [output.real() for output in self._interpreter.invoke(tensor)]
        return tuple(float(each) for output in outputs for each in (output.mean(), output.std()))

    def warm_up(self) -> None:
        """Run once on an empty picture: the first run takes longer, and shows whether the model runs at all."""
        size = self._model.layout.input
        image = np.full((size.height, size.width, 3), size.pad, np.uint8)
        self.detect(Frame(image, "", 0, self._clock.monotonic_ns(), _EPOCH))
        self.times = StageTimes()


def _in_frame(found: Detections, placement: Placement) -> Detections:
    boxes = placement.to_source(found.boxes)
    # What lay in the padding alone is cut down to nothing.
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    detections = Detections(boxes, found.scores, found.class_ids)
    return detections if inside.all() else detections.select(inside)


def _ms(start_ns: int, end_ns: int) -> float:
    return (end_ns - start_ns) / 1e6
