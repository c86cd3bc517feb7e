"""A model and a source to something that can be measured: the service's own parts, driven step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.assemble.detector import open_detector
from edge.assemble.pipeline import Shared, make_pipeline
from edge.assemble.rules import make_rules, make_wanted
from edge.assemble.source import make_source, parse_camera_source
from edge.config.values import Camera
from edge.core.errors import ConfigError, EdgeError, RecordingError, SourceError, UsageError
from edge.core.model import Model
from edge.core.protocols import Clock, FrameSource
from edge.core.values import Frame, Message, StageTimes
from edge.infer.detector import Detector
from edge.infer.interpreter import LiteInterpreter
from edge.measure.bench import Subject
from edge.report.topics import Topics
from edge.service.ahead import Ahead, Incoming
from edge.service.arrivals import Arrivals
from edge.service.camera import CameraWorker
from edge.service.identity import Identities, new_epoch
from edge.service.news import CameraNews
from edge.service.pipeline import Pipeline
from edge.track.wanted import lowest_score

_CAMERA = "bench"
_PATIENCE_S = 10.0  # a camera that gives no frame for so long is away


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured.

    source : as a camera's ``source`` in the configuration
    overlap : run the model on the next frame while the one before is read and told
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
        camera = Camera(source=setup.source, loop=True, pace="fast", publish_detections=True)
        wanted = make_wanted(_CAMERA, camera, setup.model)
        self._clock = clock
        self._detector = open_detector(
            setup.model,
            accelerator=setup.accelerator,
            threads=setup.threads,
            threshold=lowest_score([wanted]),
            clock=clock,
        )
        shared = Shared(setup.model, Topics("bench"), Identities("bench", new_epoch(clock)), clock)
        rules = make_rules(camera, wanted, setup.model, zone=None, ledger=None)
        self._pipeline: Pipeline = make_pipeline(_CAMERA, camera, wanted=wanted, rules=rules, shared=shared)
        self._busy = threading.Lock()
        self._read_ms = 0.0
        self._shrink_ms = 0.0
        arrivals = Arrivals((_CAMERA,))
        self._incoming: Incoming = Ahead(arrivals, self._start) if setup.overlap else arrivals
        self._overlap = setup.overlap
        self._worker = self._make_worker(camera, arrivals)
        self.frame_size = (0, 0)

    def __enter__(self) -> Bench:
        self._detector.warm_up()
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.ask_to_stop()
        self._incoming.close()
        self._worker.join(2.0)

    @property
    def detector(self) -> Detector:
        return self._detector

    @property
    def subject(self) -> Subject:
        interpreter = self._detector.interpreter
        if not isinstance(interpreter, LiteInterpreter):
            raise TypeError(f"expected a LiteInterpreter, found {type(interpreter).__name__}")
        return Subject(interpreter.invoke_bare, self.run_frame, alone=lambda: self._busy)

    def run_frame(self) -> dict[str, float]:
        """The next frame, from the source to its messages; the milliseconds of its stages."""
        frame = self._next_frame()
        self.frame_size = (frame.width, frame.height)
        began_ns = self._clock.monotonic_ns()
        if self._overlap:
            seen = self._detector.see(frame)
        else:
            with self._busy:
                seen = self._detector.see(frame)
        _send(self._pipeline.process(seen))
        return self._stages(seen.times, (self._clock.monotonic_ns() - began_ns) / 1e6)

    def _start(self, frame: Frame) -> None:
        with self._busy:
            self._detector.start(frame)

    def _next_frame(self) -> Frame:
        while True:
            item = self._incoming.take(_PATIENCE_S)
            if item is None:
                raise SourceError(f"the source gave no frame for {_PATIENCE_S:.0f} s")
            if isinstance(item, Frame):
                return item
            _check(item)

    def _stages(self, times: StageTimes, processed_ms: float) -> dict[str, float]:
        in_it = times.decode if self._overlap else times.decode + times.preprocess + times.infer
        return {
            "capture": self._read_ms,
            "shrink": self._shrink_ms,
            "preprocess": times.preprocess,
            "infer": times.infer,
            "decode": times.decode,
            "track_and_tell": max(0.0, processed_ms - in_it),
        }

    def _make_worker(self, camera: Camera, arrivals: Arrivals) -> CameraWorker:
        source = _Timed(make_source(_CAMERA, camera, Path.cwd(), self._clock), self._clock, self._take_read_ms)
        is_live = parse_camera_source(camera, Path.cwd()).is_live
        put = arrivals.put if is_live else arrivals.put_and_wait
        return CameraWorker(_CAMERA, source, put=self._shrinking(put) if self._overlap else put, tell=arrivals.tell)

    def _take_read_ms(self, ms: float) -> None:
        self._read_ms = ms

    def _shrinking(self, put: Callable[[Frame], None]) -> Callable[[Frame], None]:
        def shrink_and_put(frame: Frame) -> None:
            began_ns = self._clock.monotonic_ns()
            small = self._detector.shrink(frame)
            self._shrink_ms = (self._clock.monotonic_ns() - began_ns) / 1e6
            put(small)

        return shrink_and_put


class _Timed:
    """A source that says how long each read took."""

    def __init__(self, source: FrameSource, clock: Clock, tell: Callable[[float], None]) -> None:
        self._source = source
        self._clock = clock
        self._tell = tell
        self.open, self.close = source.open, source.close

    def read(self) -> Frame | None:
        began_ns = self._clock.monotonic_ns()
        frame = self._source.read()
        self._tell((self._clock.monotonic_ns() - began_ns) / 1e6)
        return frame


def _check(news: CameraNews) -> None:
    if isinstance(news.error, EdgeError):
        raise news.error
    if news.state.value in ("ended", "failed"):
        raise RecordingError("the recording ended though it is repeated; has it any frames?")


def _send(messages: Iterable[Message]) -> int:
    """What a connection takes over: whole messages, made already."""
    return sum(len(message.payload) for message in messages)
