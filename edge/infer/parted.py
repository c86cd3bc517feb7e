"""A frame looked at as a whole and then in parts: small things get more of the model's pixels."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from edge.core.model import Model
from edge.core.values import Detections, Frame, Sighting, StageTimes
from edge.infer.detector import Detector
from edge.infer.parts import Part, add_times, look_at_part, merge_found

_MOST_STARTED = 8  # what nobody asked for must not gather


class Parts(Protocol):
    """Which parts of a camera's frames are worth a look of their own."""

    def choose(self, frame: Frame, found: Detections) -> list[Part]:
        """Of the next frame; ``found`` : what the whole picture showed."""

    def learn(self, found: Detections) -> None:
        """What came of it, all together."""


class PartedDetector:
    """A detector that looks at the whole frame and then at parts of it; the model runs once for each."""

    def __init__(self, detector: Detector, parts: Parts, *, max_boxes: int = 300) -> None:
        self._detector = detector
        self._parts = parts
        self._max_boxes = max_boxes
        self._started: deque[tuple[Frame, Detections, StageTimes]] = deque(maxlen=_MOST_STARTED)
        self.times = StageTimes()

    @property
    def model(self) -> Model:
        return self._detector.model

    def detect(self, frame: Frame) -> Detections:
        """As `Detector.detect`."""
        for place, (started, found, times) in enumerate(tuple(self._started)):
            if started is frame:
                for _ in range(place + 1):
                    self._started.popleft()
                self.times = times
                return found
        found, self.times = self._look(frame)
        return found

    def see(self, frame: Frame) -> Sighting:
        """As `Detector.see`."""
        return Sighting(frame.facts, self.detect(frame), self.times, self.model.ref, self.model.layout.backend)

    def start(self, frame: Frame) -> None:
        """As `Detector.start`; all the work is done here."""
        self._started.append((frame, *self._look(frame)))

    def shrink(self, frame: Frame) -> Frame:
        """As `Detector.shrink`: the whole picture is made small ahead, its parts are not."""
        return self._detector.shrink(frame)

    def warm_up(self) -> None:
        self._detector.warm_up()

    def _look(self, frame: Frame) -> tuple[Detections, StageTimes]:
        whole, times = self._detector.look(frame)
        looks = []
        for part in self._parts.choose(frame, whole):
            found, taken = look_at_part(self._detector, frame, part)
            looks.append((part, found))
            times = add_times(times, taken)
        merged = merge_found(whole, looks, frame, iou=self.model.layout.nms_iou, max_boxes=self._max_boxes)
        self._parts.learn(merged)
        return merged, times
