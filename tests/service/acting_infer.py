"""A model's process for tests: the real one around a model that reads a frame's number, and fails as it is told."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from edge.core.clock import SystemClock
from edge.core.errors import ModelError
from edge.core.protocols import Clock
from edge.core.values import Detections, Frame, ModelRef, Sighting, StageTimes, as_detections
from edge.infer.album import Album
from edge.service import infer_letters as letters
from edge.service.brain import Brain
from edge.service.brains import Brains
from edge.service.breaker import Breaker
from edge.service.channel import Channel
from edge.service.checkup import Checkup
from edge.service.golden_book import GoldenBook
from edge.service.infer_letters import Begin, Cannot, Exercised, Ready, Tested
from edge.service.inference import Inference
from edge.service.inferring import Inferring
from edge.service.inside import Post, first_frame, leave_at_once
from edge.service.shared_frames import SharedFrames
from edge.service.staff import Version
from edge.service.trouble import trouble_of
from tests.service.acting_capture import hang


class Part(msgspec.Struct, frozen=True):
    """What the model does.

    run_s : how long a run takes
    mishap : what happens in the run number ``at``: "hang", "die", "fail", "nonsense"; at the start: "cannot", "die at
        start", "hang at start"
    once : a file that is made when it happens, so that it does not happen again
    """

    run_s: float = 0.0
    mishap: str = ""
    at: int = 3
    once: str | None = None
    is_ahead: bool = False


class ActingModel:
    """Sees one thing in each frame, whose class is the number that every pixel of the frame holds; -1 = they differ."""

    def __init__(self, part: Part, channel: Channel) -> None:
        self._part = part
        self._channel = channel
        self._clock = SystemClock()
        self._runs = 0
        self._started: dict[int, Detections] = {}
        self.threshold = 0.5
        self.before_run: Callable[[], None] = lambda: None

    def start(self, frame: Frame) -> None:
        self._started[id(frame)] = self._run(frame)

    def see(self, frame: Frame) -> Sighting:
        found = self._started.pop(id(frame), None) or self._run(frame)
        return Sighting(frame.facts, found, StageTimes(infer=1.0), ModelRef("m", "0" * 64), "cpu")

    def _run(self, frame: Frame) -> Detections:
        self._runs += 1
        self.before_run()
        if self._runs == self._part.at and not (self._part.once and Path(self._part.once).exists()):
            self._suffer()
        self._clock.sleep(self._part.run_s)
        number = int(frame.image[0, 0, 0])
        is_whole = bool((frame.image == number).all())
        return as_detections([[0, 0, 1, 1]], [self.threshold], [number if is_whole else -1])

    def _suffer(self) -> None:
        if self._part.once:
            Path(self._part.once).touch()
        match self._part.mishap:
            case "hang":
                hang()
            case "die":
                os.kill(os.getpid(), 9)
            case "fail":
                raise ModelError("m.tflite: the run failed")
            case "nonsense":
                self._channel.send(b"\xc1")


def main(channel: Channel) -> None:
    clock = SystemClock()
    begin = letters.read_by_infer(first_frame(channel, clock))
    assert isinstance(begin, Begin)
    part = msgspec.msgpack.decode(begin.setup, type=Part)
    post = Post(channel, letters.encode)
    if part.mishap == "cannot":
        post.send(Cannot(trouble_of(ModelError("m.tflite: the model can't be loaded"))))
        post.finish(clock)
        leave_at_once(78)
    if part.mishap == "hang at start":
        hang()
    if part.mishap == "die at start":
        os.kill(os.getpid(), 9)
    model = ActingModel(part, channel)
    lookers = defaultdict[str, ActingModel](lambda: model)

    def tune(threshold: float) -> None:
        model.threshold = threshold

    inferring = Inferring(
        channel,
        lookers,
        {camera: SharedFrames(channel.descriptors[place]) for camera, place in begin.frames.items()},
        tune=tune,
        test=lambda _letter: Tested(3.0),
        exercise=lambda seconds: Exercised([1.0], seconds, 0.001),
        rejected=lambda: 0,
        is_ahead=part.is_ahead,
        clock=clock,
        album=Album({"yard": ()}),
    )
    model.before_run = inferring.listen_meanwhile
    post.send(Ready("m", "0" * 64, "cpu", "none 0", run_ms=1.0))
    inferring.live()


def alone(inference: Inference, clock: Clock) -> Callable[[Mapping[str, int]], Brains]:
    """What makes the one process that runs the model, without a twin and without a memory of self-tests."""

    def make(memories: Mapping[str, int]) -> Brains:
        version = Version(lambda: Brain(inference, memories, clock), Checkup(GoldenBook(Path("/nowhere"))))
        return Brains(version, None, breaker=Breaker(), clock=clock)

    return make
