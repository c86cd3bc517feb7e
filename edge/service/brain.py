"""The model as the service sees it: a process that runs it, and the frames that are with it."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from edge.core.errors import EdgeError, MissingLibraryError, ModelCrashError
from edge.core.protocols import Clock
from edge.service import infer_letters as letters
from edge.service.announced import Announced
from edge.service.child import Child
from edge.service.eye import LONGEST_WAIT_S, STABLE_S, STALL_S
from edge.service.fault import Fault, FaultKind
from edge.service.infer_letters import (
    Begin,
    Cannot,
    Corners,
    Exercise,
    Exercised,
    Failed,
    Found,
    Picture,
    Pictured,
    Ready,
    SelfTest,
    Skipped,
    Tested,
    Tune,
)
from edge.service.inference import Answer, Inference
from edge.service.progress import Stage
from edge.service.sighting import sighting

logger = logging.getLogger(__name__)

# One that runs and one that waits, so that the model never idles for the length of a message.
DEPTH = 2
_PICTURES = 16  # that have come and were not taken; the oldest goes
# A model that has never run and ends its process so often, or hangs so often at its start, does not run here.
_FIRST_CRASHES = 3
_FIRST_HANGS = 2
# A run that takes so many times as long as the first one hangs; so do all that take this long.
_SLOW_TIMES = 5.0
_SLOW_S = 1.5


class Brain:
    """Keeps the model's process running, lends it frames, and ends it when it does not answer.

    ready : what the process that runs now said of itself; None while it does not run
    said : what the newest process that ran said of itself
    error : why it will never run
    fault : what was wrong the last time that a process ended; None = nothing yet
    rejected : boxes that were none, so far
    raving : frames in a row in which all that was found was none
    """

    def __init__(self, inference: Inference, memories: Mapping[str, int], clock: Clock) -> None:
        """
        Parameters
        ----------
        memories : the descriptor of each camera's shared memory
        """
        self._inference = inference
        self._clock = clock
        self._threshold: float | None = None
        places = {camera: place for place, camera in enumerate(memories)}
        begin = Begin(places, inference.setup, logging.getLogger().level)
        self._begin = letters.encode(begin)
        self._child = Child(
            inference.name,
            inference.module,
            greet=self._greet,
            clock=clock,
            start_s=inference.start_s,
            is_restarted=inference.is_restarted,
            silent_s=None,
            descriptors=tuple(memories.values()),
            stable_s=STABLE_S,
            longest_s=LONGEST_WAIT_S,
        )
        self._jobs: dict[int, tuple[Announced, bool]] = {}
        self._next_job = 0
        self._since_ns = 0
        self._answers = 0
        self._has_run = False
        self._late_starts = 0
        self._deaths_seen = 0
        self._tested: list[Tested] = []
        self._exercised: list[Exercised] = []
        self._fault: Fault | None = None  # of the process that runs now, or is just ending
        self._pictured: deque[Pictured] = deque(maxlen=_PICTURES)
        self.ready: Ready | None = None
        self.said: Ready | None = None
        self.error: EdgeError | None = None
        self.fault: Fault | None = None
        self.rejected = 0
        self.raving = 0

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def restarts(self) -> int:
        return self._child.restarts

    @property
    def is_idle(self) -> bool:
        return not self._jobs

    @property
    def waits_s(self) -> float:
        """How long nothing has come of the frames that are here; 0 = there are none."""
        return (self._clock.monotonic_ns() - self._since_ns) / 1e9 if self._jobs else 0.0

    def fileno(self) -> int | None:
        """To wait for."""
        return None if self._child.channel is None else self._child.channel.fileno()

    def has_room(self) -> bool:
        return self.ready is not None and len(self._jobs) < DEPTH

    def may_replace(self, camera: str) -> bool:
        """Whether a newer frame of a camera can take the place of the one that waits."""
        if self.ready is None or len(self._jobs) != DEPTH:
            return False
        announced, is_replaceable = next(reversed(self._jobs.values()))
        return is_replaceable and announced.frame.camera == camera

    def is_at(self, camera: str) -> bool:
        """Whether a frame of the camera is here."""
        return any(announced.frame.camera == camera for announced, _ in self._jobs.values())

    def look(self, announced: Announced, *, is_replaceable: bool) -> bool:
        """Lend it a frame; False = it can't be told just now."""
        self._next_job += 1
        letter = letters.look(self._next_job, announced, is_replaceable=is_replaceable)
        if not self._child.send(letters.encode(letter)):
            return False
        if not self._jobs:
            self._since_ns = self._clock.monotonic_ns()
        self._jobs[self._next_job] = (announced, is_replaceable)
        return True

    def rouse(self) -> None:
        """A frame follows soon, after a pause; while there are frames here, nobody sleeps."""
        if self.ready is not None and not self._jobs:
            self._child.rouse()

    def tune(self, threshold: float) -> None:
        """Let everything from this score on through, in each process that comes after this one too."""
        self._threshold = threshold
        self._child.send(letters.encode(Tune(threshold)))

    def test(self, letter: SelfTest) -> bool:
        """Have it run the golden picture; False = it can't just now. The answer comes from ``take_tested``."""
        return self.ready is not None and self._child.send(letters.encode(letter))

    def take_tested(self) -> Tested | None:
        """The answer to a ``test``, once."""
        return self._tested.pop(0) if self._tested else None

    def exercise(self, seconds: float) -> bool:
        """Have it run the model alone for so long; False = it can't just now. The answer: ``take_exercised``."""
        return self.ready is not None and self._child.send(letters.encode(Exercise(seconds)))

    def take_exercised(self) -> Exercised | None:
        """The answer to an ``exercise``, once."""
        return self._exercised.pop(0) if self._exercised else None

    def photograph(self, camera: str, sequence: int, hidden: tuple[Corners, ...]) -> bool:
        """Ask for a picture of a frame that was looked at; False = it can't be asked just now."""
        return self.ready is not None and self._child.send(letters.encode(Picture(camera, sequence, hidden)))

    def take_pictured(self) -> Pictured | None:
        """The next picture that has come."""
        return self._pictured.popleft() if self._pictured else None

    def tend(self) -> None:
        """Start what should run, end what hangs."""
        if self._jobs and self._clock.monotonic_ns() - self._since_ns >= self._patience_ns():
            self._fault = Fault(FaultKind.HUNG, "did not come back from a run of the model")
            self._child.fail("did not come back from a run of the model")
        before = self._child.restarts
        self._child.tend()
        if self._child.restarts > before:
            self._fault = Fault(FaultKind.HUNG, "did not get the model to run in time")
            self._late_starts += 1
            self._give_up_if_hopeless()

    def receive(self) -> list[Answer]:
        """The frames that are back; all of them when the process has ended."""
        answers: list[Answer] = []
        for frame in self._child.receive():
            try:
                answers += self._hear(letters.read_by_service(frame))
            except (msgspec.DecodeError, ValueError, KeyError) as error:
                self._child.fail(f"said what makes no sense ({error})")
                break
        if self._child.restarts > self._deaths_seen:
            self._deaths_seen, self.ready = self._child.restarts, None
            self.fault, self._fault = self._fault or Fault(FaultKind.CRASHED, "its process ended"), None
            answers += self._give_back()
        self._give_up_if_hopeless()
        return answers

    def trust(self) -> None:
        """The model has run before, in another process: this one is started again whatever it says."""
        self._has_run = True

    def stage(self) -> Stage:
        """Standing still: it has frames and gives no answers, and nobody ends its process."""
        return Stage(
            "model",
            lambda: None if self.is_idle else (self._answers, self._child.restarts),
            lambda: STALL_S + self._patience_ns() / 1e9,
        )

    def end(self) -> list[Answer]:
        """Whatever the process does; returns the frames that were with it."""
        self._child.dismiss()
        self._child.end(is_late=False)
        self.ready = None
        return self._give_back()

    def _give_up_if_hopeless(self) -> None:
        if self._has_run or self.error is not None:
            return
        if self._child.deaths >= _FIRST_CRASHES:
            found = f"ended {_FIRST_CRASHES} times before the model ran once; the journal has its last words"
        elif self._late_starts >= _FIRST_HANGS:
            found = f"did not get the model to run within {self._inference.start_s:.0f} s, {_FIRST_HANGS} times"
        else:
            return
        self.error = ModelCrashError(f"the process that runs the model {found}; try another model, or accelerator: cpu")

    def _greet(self) -> list[bytes]:
        tuning = [] if self._threshold is None else [letters.encode(Tune(self._threshold))]
        return [self._begin, *tuning]

    def _hear(self, letter: letters.FromInfer) -> Iterable[Answer]:
        match letter:
            case Ready(run_ms=run_ms) if not math.isfinite(run_ms):
                raise ValueError(f"a run took {run_ms} ms")
            case Ready():
                self.ready = self.said = letter
                self._has_run = True
            case Cannot(trouble):
                is_absent = isinstance(trouble.error(), MissingLibraryError)
                self.fault = Fault(FaultKind.ABSENT if is_absent else FaultKind.LOST, trouble.words)
                if not self._has_run:  # the service ends with this word; else it goes on trying
                    self.error = trouble.error()
                    self._child.dismiss()
                else:
                    logger.error("the model can't be made to run: %s", trouble.words)
            case Found():
                announced, _ = self._jobs.pop(letter.job)
                self._answers += 1
                self._since_ns = self._clock.monotonic_ns()
                self.rejected += letter.rejected
                self.raving = self.raving + 1 if letter.rejected and not letter.scores else 0
                return [Answer(announced, sighting(announced.frame, letter, self.ready, self._inference.class_ids))]
            case Skipped(job):
                return [Answer(self._jobs.pop(job)[0])]
            case Failed(job, words):
                logger.error("the model's run failed: %s", words)
                self._fault = Fault(FaultKind.LOST, words)
                self.ready = None  # the process ends now: no frame is lent to it any more
                return [Answer(self._jobs.pop(job)[0], is_lost=True)] if job in self._jobs else []
            case Tested():
                self._tested.append(letter)
            case Exercised():
                self._exercised.append(letter)
            case Pictured():
                self._pictured.append(letter)
        return []

    def _give_back(self) -> list[Answer]:
        """The newest first: each can be put in front of the one before."""
        jobs, self._jobs = self._jobs, {}
        return [Answer(announced, is_lost=True) for announced, _ in reversed(jobs.values())]

    def _patience_ns(self) -> int:
        run_s = 0.0 if self.ready is None else self.ready.run_ms / 1e3
        return round(max(_SLOW_S, _SLOW_TIMES * run_s * self._inference.runs) * 1e9)
