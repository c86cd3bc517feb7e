"""A model and a source to something that can be measured: the service's own processes, driven frame by frame.

One process captures, one runs the model, and this one decides and tells, as in ``edge run``; there is no broker.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edge.assemble.early import INFER
from edge.assemble.orders import InferOrder, encode_order
from edge.assemble.pipeline import Shared, make_pipeline
from edge.assemble.rules import make_rules, make_wanted
from edge.assemble.sight import make_captures, make_lookouts
from edge.assemble.source import parse_camera_source
from edge.config.values import Camera, Config, Origin
from edge.core.errors import ConfigError, EdgeError, RecordingError, SourceError, UsageError
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.core.values import Sighting
from edge.measure.bench import Subject
from edge.measure.machine_load import cpu_seconds_of
from edge.report.topics import Topics
from edge.service.arbiter import Arbiter
from edge.service.brain import Brain
from edge.service.brains import Brains
from edge.service.breaker import Breaker
from edge.service.checkup import Checkup
from edge.service.golden_book import GoldenBook
from edge.service.identity import Identities, new_epoch
from edge.service.infer_letters import Exercised
from edge.service.inference import Inference
from edge.service.news import CameraNews
from edge.service.pipeline import Pipeline
from edge.service.staff import Version
from edge.service.waking import WakingClock
from edge.track.wanted import lowest_score

_CAMERA = "bench"
_STEP_S = 0.2
_LEAVE_S = 1.0
_PATIENCE_S = 10.0  # a camera that gives no frame for so long is away
_START_S = 90.0
_EXERCISE_S = 60.0  # beyond what was asked for: one run of a slow model
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured.

    source : as a camera's ``source`` in the configuration
    overlap : run the model on the next frame while the one before is read
    """

    model: Model
    source: str
    threads: int
    overlap: bool
    accelerator: str = "auto"


def check_source(source: str) -> None:
    """What the command line names must be there before the long work begins. Raises UsageError."""
    try:
        parse_camera_source(Camera(source=source), Path.cwd())
    except ConfigError as error:
        raise UsageError(f"--{error}") from error


class Bench:
    """The service's path for one camera, which ``run_frame`` drives one frame at a time. Use as a context."""

    def __init__(self, setup: Setup, clock: Clock) -> None:
        self._setup = setup
        self._clock, self._waking = clock, WakingClock(clock)
        self._closing = ExitStack()
        self._arbiter: Arbiter
        self._pipeline: Pipeline
        self._brain: Brain | None = None
        self._capture_s = 0.0
        self.frame_size = (0, 0)

    def __enter__(self) -> Bench:
        with ExitStack() as undoing:
            self._open(Path(undoing.enter_context(tempfile.TemporaryDirectory())))
            undoing.callback(self._close)
            self._arbiter.open()
            self._until(lambda: self._take() or self._arbiter.is_ready or None, _START_S, "the model does not run")
            self._closing = undoing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def subject(self) -> Subject:
        return Subject(self.run_bare, self.run_frame, self.cpu_s)

    @property
    def pids(self) -> tuple[int, ...]:
        """Of all processes that take part: this one, the camera's, the model's."""
        others = (self._arbiter.eyes[_CAMERA].pid, self._arbiter.brain.pid)
        return os.getpid(), *(pid for pid in others if pid is not None)

    def cpu_s(self) -> float:
        """CPU time of all of them so far."""
        return sum(map(cpu_seconds_of, self.pids))

    def run_bare(self, seconds: float) -> Exercised:
        """The model alone, in its process; nobody gives it a frame meanwhile."""
        brain = self._brain
        if brain is None or not brain.exercise(seconds):
            raise EdgeError("the process that runs the model can't be reached")

        def come_back() -> Exercised | None:
            self._take()  # what was on its way; no more than the model's process holds
            return brain.take_exercised()

        return self._until(come_back, seconds + _EXERCISE_S, "the model did not come back from its runs")

    def run_frame(self) -> dict[str, float]:
        """The next frame, from the source to its messages; the milliseconds of its stages."""
        seen = self._until(self._take, _PATIENCE_S, "the source gave no frame")
        self.frame_size = (seen.frame.width, seen.frame.height)
        began_ns = self._clock.monotonic_ns()
        for message in self._pipeline.process(seen):
            len(message.payload)  # what a connection takes over: whole messages, made already
        told_ns = self._clock.monotonic_ns()
        before_s, self._capture_s = self._capture_s, cpu_seconds_of(self._arbiter.eyes[_CAMERA].pid or 0)
        times = seen.times
        return {
            "capture": (self._capture_s - before_s) * 1e3,
            "preprocess": times.preprocess,
            "infer": times.infer,
            "decode": times.decode,
            "track_and_tell": (told_ns - began_ns) / 1e6,
        }

    def _open(self, folder: Path) -> None:
        """Make all parts; ``folder`` : where the model's self-test keeps what it found."""
        setup, clock = self._setup, self._clock
        camera = Camera(source=setup.source, loop=True, pace="fast", publish_detections=True)
        config = Config(cameras={_CAMERA: camera}, origin=Origin(Path.cwd() / "bench.yaml"))
        wanted = make_wanted(_CAMERA, camera, setup.model)
        threshold = lowest_score([wanted])
        self._arbiter = Arbiter(
            make_captures(config, setup.model.layout.input),
            lambda memories: self._make_brains(memories, threshold, folder),
            clock,
            lookouts=make_lookouts(config),
            waking=self._waking,
        )
        shared = Shared(setup.model, Topics(_CAMERA), Identities(_CAMERA, new_epoch(clock)), clock)
        rules = make_rules(camera, wanted, setup.model, zone=None, ledger=None)
        self._pipeline = make_pipeline(_CAMERA, camera, wanted=wanted, rules=rules, shared=shared)

    def _close(self) -> None:
        self._arbiter.stop()
        end_ns = self._clock.monotonic_ns() + round(_LEAVE_S * 1e9)
        while not self._arbiter.is_quiet and self._clock.monotonic_ns() < end_ns:
            self._arbiter.take(_STEP_S)
        self._arbiter.close()

    def _take(self) -> Sighting | None:
        """What was seen next; None = nothing for a moment. Raises why there will be no more."""
        item = self._arbiter.take(_STEP_S)
        if isinstance(item, CameraNews):
            _check(item)
        return item if isinstance(item, Sighting) else None

    def _until(self, found: Callable[[], Found | None], limit_s: float, words: str) -> Found:
        end_ns = self._waking.monotonic_ns() + round(limit_s * 1e9)
        while (result := found()) is None:
            if self._waking.monotonic_ns() >= end_ns:
                raise SourceError(f"{words} for {limit_s:.0f} s")
        return result

    def _make_brains(self, memories: Mapping[str, int], threshold: float, folder: Path) -> Brains:
        setup = self._setup
        tiles = {_CAMERA: "1x1"}
        order = InferOrder(
            setup.model, setup.accelerator, setup.threads, threshold, "graph", tiles, is_ahead=setup.overlap
        )
        inference = Inference(INFER, encode_order(order))

        def make_brain() -> Brain:
            self._brain = Brain(inference, memories, self._waking)
            return self._brain

        return Brains(Version(make_brain, Checkup(GoldenBook(folder))), None, breaker=Breaker(), clock=self._clock)


def _check(news: CameraNews) -> None:
    if isinstance(news.error, EdgeError):
        raise news.error
    if news.state.value in ("ended", "failed"):
        raise RecordingError("the recording ended though it is repeated; has it any frames?")
