"""Frame in, detections in the frame's own pixels out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import Placement, place_stretch
from edge.core.model import Model
from edge.core.protocols import Answer, Clock, Decoder, InPlaceInterpreter, Interpreter
from edge.core.values import Detections, Frame, Sighting, StageTimes, Tensor
from edge.infer.preprocess import Preprocessor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOWHERE = place_stretch(source=(1, 1), target=(1, 1))
_MOST_STARTED = 8  # two are on their way at a time; what nobody asked for must not gather

Outputs = tuple[Tensor, ...]


class Detector:
    """Preprocess, run, decode, map back: the one way a frame takes through a model.

    For one thread; or for three: ``shrink`` in those that capture, ``start`` in one that runs the model, and
    ``detect`` in one that reads what came out, while the model runs on the next frame.

    times : what each stage of the newest frame took
    before_run : called when the input is filled and the run begins
    """

    def __init__(self, model: Model, interpreter: Interpreter, *, decoder: Decoder, clock: Clock) -> None:
        self._model = model
        self._interpreter = interpreter
        self._decoder = decoder
        self._clock = clock
        self._in_place = interpreter if isinstance(interpreter, InPlaceInterpreter) else None
        self._preprocessor = Preprocessor(model.layout.input)
        # A command may have the model run beside the thread that runs it.
        self._busy = threading.Lock()
        self._started: deque[tuple[Frame, _Run]] = deque(maxlen=_MOST_STARTED)
        self.times = StageTimes()
        self.before_run: Callable[[], None] = lambda: None

    @property
    def interpreter(self) -> Interpreter:
        return self._interpreter

    @property
    def rejected(self) -> int:
        """Boxes that were none, so far."""
        return getattr(self._decoder, "rejected", 0)

    @property
    def model(self) -> Model:
        return self._model

    def detect(self, frame: Frame) -> Detections:
        """What the model sees in a frame; where ``start`` has run the model on it, only its outputs are read.

        Returns
        -------
        Boxes in source-frame pixels, never outside the frame nor empty; scores descending.

        Raises
        ------
        ModelError
            When the run fails.
        """
        run = self._take_started(frame)
        if run is None:
            found, self.times = self.look(frame)
            return found
        found = self._read(run, run.outputs)
        self.times = run.times
        return found

    def see(self, frame: Frame) -> Sighting:
        """What ``detect`` finds, with all that the rest of the path has to know."""
        return Sighting(frame.facts, self.detect(frame), self.times, self._model.ref, self._model.layout.backend)

    def look(self, frame: Frame) -> tuple[Detections, StageTimes]:
        """As ``detect`` for a frame that was not started, with what each stage took."""
        run = _Run()
        found = self._invoke(frame, run, lambda outputs: self._read(run, outputs))
        return found, run.times

    def start(self, frame: Frame) -> None:
        """Run the model on a frame whose ``detect`` comes later; in the same order. Raises as ``detect`` does."""
        run = _Run()
        self._invoke(frame, run, lambda outputs: self._keep(run, outputs))
        self._started.append((frame, run))

    def shrink(self, frame: Frame) -> Frame:
        """The frame with its picture made small ahead, which is the dearest step before a run."""
        return replace(frame, resized=self._preprocessor.shrink(frame.image))

    def decode_with(self, decoder: Decoder) -> None:
        """From the next frame on."""
        self._decoder = decoder

    def outputs_for(self, image: NDArray[np.uint8]) -> Outputs:
        """The model's raw outputs for a picture, (height, width, 3) uint8, copied. Raises ModelError."""
        with self._busy:
            tensor, _ = self._preprocessor.prepare(image)
            return self._interpreter.invoke(tensor)

    def warm_up(self) -> None:
        """Run once on an empty picture: the first run takes longer, and shows whether the model runs at all."""
        size = self._model.layout.input
        image = np.full((size.height, size.width, 3), size.pad, np.uint8)
        self.detect(Frame(image, "", 0, self._clock.monotonic_ns(), _EPOCH))
        self.times = StageTimes()

    def _take_started(self, frame: Frame) -> _Run | None:
        # Frames are asked for in the order they were started; those before this one nobody wants any more.
        for place, (started, run) in enumerate(tuple(self._started)):
            if started is frame:
                for _ in range(place + 1):
                    self._started.popleft()
                return run
        return None

    def _invoke(self, frame: Frame, run: _Run, read: Callable[[Outputs], Answer]) -> Answer:
        with self._busy:
            return self._invoke_alone(frame, run, read)

    def _invoke_alone(self, frame: Frame, run: _Run, read: Callable[[Outputs], Answer]) -> Answer:
        run.captured_ns, run.begun_ns = frame.captured_ns, self._clock.monotonic_ns()
        if self._in_place is not None:
            return self._in_place.invoke_in_place(lambda values: self._fill(frame, run, values), read)
        tensor, run.placement = self._preprocessor.prepare(frame.image, frame.resized, is_blank=frame.is_blank)
        self._begin(run)
        return read(self._interpreter.invoke(tensor))

    def _fill(self, frame: Frame, run: _Run, values: NDArray[Any]) -> None:
        run.placement = self._preprocessor.fill(frame.image, frame.resized, into=values, is_blank=frame.is_blank)
        self._begin(run)

    def _begin(self, run: _Run) -> None:
        run.prepared_ns = self._clock.monotonic_ns()
        self.before_run()

    def _keep(self, run: _Run, outputs: Outputs) -> None:
        run.ran_ns = self._clock.monotonic_ns()
        is_lent = self._in_place is not None
        run.outputs = tuple([_copied(output) for output in outputs]) if is_lent else outputs

    def _read(self, run: _Run, outputs: Outputs) -> Detections:
        begun_ns = self._clock.monotonic_ns()
        run.ran_ns = run.ran_ns or begun_ns
        found = self._decoder.decode(outputs)
        found = _in_frame(found, run.placement) if len(found) else found
        run.read_ns = self._clock.monotonic_ns() - begun_ns
        return found


@dataclass(slots=True)
class _Run:
    """One frame's way through the model, step by step; read_ns is how long reading took."""

    captured_ns: int = 0
    begun_ns: int = 0
    prepared_ns: int = 0
    ran_ns: int = 0
    read_ns: int = 0
    placement: Placement = _NOWHERE
    outputs: Outputs = ()

    @property
    def times(self) -> StageTimes:
        return StageTimes(
            capture=max(0, self.begun_ns - self.captured_ns) / 1e6,
            preprocess=(self.prepared_ns - self.begun_ns) / 1e6,
            infer=(self.ran_ns - self.prepared_ns) / 1e6,
            decode=self.read_ns / 1e6,
        )


def _copied(output: Tensor) -> Tensor:
    return Tensor(output.values.copy(), output.scale, output.zero_point, output.name)


def _in_frame(found: Detections, placement: Placement) -> Detections:
    boxes = placement.to_source(found.boxes)
    # What lay in the padding alone is cut down to nothing.
    inside = boxes[:, 2:] > boxes[:, :2]
    detections = Detections(boxes, found.scores, found.class_ids)
    return detections if inside.all() else detections.select(inside.all(axis=1))
