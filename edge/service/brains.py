"""The processes that can run the model: an accelerator's, and the CPU's, which takes over while the other can't.

The CPU's process runs only while it is needed, for the memory's sake: from the moment in which the accelerator is
slower than it should be until a minute after it works again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from edge.core.errors import EdgeError
from edge.core.protocols import Clock
from edge.service.accelerated import Accelerated
from edge.service.announced import Announced
from edge.service.breaker import Breaker, Trust
from edge.service.checkup import Checkup, Result
from edge.service.infer_letters import Corners, Pictured, Ready
from edge.service.inference import Answer
from edge.service.news import BackendNews, Thinking
from edge.service.on_cpu import Experience, OnCpu
from edge.service.progress import Stage
from edge.service.staff import Brain, Staff, Version

_LINGER_NS = 60 * 1_000_000_000


class Brains:
    """Behaves as one ``Brain``: frames go to the one that is at work. All methods belong to one thread."""

    def __init__(
        self,
        cpu: Version,
        accelerated: Version | None,
        *,
        breaker: Breaker,
        clock: Clock,
        experience: Experience | None = None,
        is_worth_a_try: Callable[[], bool] = lambda: True,
        reasons: tuple[str, ...] = (),
    ) -> None:
        """
        Parameters
        ----------
        is_worth_a_try : whether an accelerator may be there, asked before its process is started
        reasons : codes for health that hold from the start
        """
        self._clock = clock
        self._staff = Staff()
        self._reasons = reasons
        self._cpu = OnCpu(cpu, experience or Experience(), self._staff)
        self._keep_cpu_until_ns = now_ns = clock.monotonic_ns()
        self._lead: Accelerated | None = None
        if accelerated is not None:
            self._lead = Accelerated(accelerated, breaker, self._staff, is_worth_a_try=is_worth_a_try, now_ns=now_ns)
        self._said: Ready | None = None
        self._news: deque[BackendNews] = deque()

    @property
    def ready(self) -> Ready | None:
        """What runs the model now."""
        if self._is_lead_at_work and self._lead is not None and not self._lead.is_proven:
            return None  # nobody has seen yet that it is right
        return None if self._active is None else self._active.ready

    @property
    def said(self) -> Ready | None:
        """What the newest process that worked said of itself."""
        self._said = self.ready or self._said
        return self._said

    @property
    def error(self) -> EdgeError | None:
        """Why no version can be made to run."""
        return None if self._is_lead_at_work or self._cpu.brain is None else self._cpu.brain.error

    @property
    def trust(self) -> Trust | None:
        """In the accelerator; None = there is none to be trusted."""
        return None if self._lead is None else self._lead.trust

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes for health, each once."""
        fault = None if self._lead is None else self._lead.fault
        away = () if fault is None else (f"accelerator_{fault.kind}",)
        return tuple(dict.fromkeys((*self._reasons, *away, *self._cpu.reasons)))

    @property
    def thinking(self) -> Thinking:
        """What works now, for health."""
        said = self.said
        accelerator = None if self.trust is None else self.trust.value
        if said is None:
            return Thinking("cpu", None, accelerator, self.reasons, self.restarts)
        model = f"{said.model} {said.backend}"
        return Thinking(said.backend, model, accelerator, self.reasons, self.restarts)

    @property
    def pid(self) -> int | None:
        return None if self._active is None else self._active.pid

    @property
    def restarts(self) -> int:
        return self._staff.restarts + sum(brain.restarts for brain in self._all)

    @property
    def rejected(self) -> int:
        """Boxes that were none, so far."""
        return self._staff.rejected + sum(brain.rejected for brain in self._all)

    @property
    def is_idle(self) -> bool:
        return not self._staff.orphans and all(brain.is_idle for brain in self._all)

    def filenos(self) -> list[int]:
        """To wait for."""
        return [number for brain in self._all if (number := brain.fileno()) is not None]

    def has_room(self) -> bool:
        active = self._active
        # Until the others have answered: a camera's frames must come back in their order.
        others_are_idle = all(brain.is_idle for brain in self._all if brain is not active)
        return self.ready is not None and active is not None and others_are_idle and active.has_room()

    def may_replace(self, camera: str) -> bool:
        """Whether a newer frame of a camera can take the place of the one that waits."""
        return self._active is not None and self._active.may_replace(camera)

    def is_at(self, camera: str) -> bool:
        """Whether a frame of the camera is here."""
        return any(brain.is_at(camera) for brain in self._all)

    def look(self, announced: Announced, *, is_replaceable: bool) -> bool:
        """Lend a frame; False = it can't be told just now."""
        return self._active is not None and self._active.look(announced, is_replaceable=is_replaceable)

    def rouse(self) -> None:
        """A frame follows soon."""
        if self._active is not None:
            self._active.rouse()

    def tune(self, threshold: float) -> None:
        """Let everything from this score on through, in each process that comes after these too."""
        self._staff.threshold = threshold
        for brain in self._all:
            brain.tune(threshold)

    def ask(self) -> bool:
        """Have what works now tested; False = it can't just now. The answer comes from ``take_result``."""
        if self.ready is None:
            return False
        self._checkup.ask()
        return True

    def take_result(self) -> Result | None:
        """Of the test that was asked for, once."""
        return self._checkup.take_result()

    def photograph(self, camera: str, sequence: int, hidden: tuple[Corners, ...]) -> bool:
        """Ask for a picture of a frame that was looked at; False = it can't be asked just now."""
        return self._active is not None and self._active.photograph(camera, sequence, hidden)

    def take_pictured(self) -> Pictured | None:
        """The next picture that has come."""
        return next((found for brain in self._all if (found := brain.take_pictured()) is not None), None)

    def stage(self) -> Stage:
        """Standing still: there are frames and no answers, and nobody ends a process."""
        return Stage("model", self._beat, lambda: max((brain.stage().patience_s() for brain in self._all), default=1.0))

    def take_news(self) -> BackendNews | None:
        """What has changed, once."""
        return self._news.popleft() if self._news else None

    def tend(self) -> None:
        """Start, test and end what has to be."""
        now_ns = self._clock.monotonic_ns()
        if self._lead is not None:
            news = self._lead.tend(now_ns)
            if self._lead.is_doubtful(now_ns) or news is not None:
                self._keep_cpu_until_ns = now_ns + _LINGER_NS
            self._tell(news)
        if not self._is_lead_at_work or now_ns < self._keep_cpu_until_ns:
            self._tell(self._cpu.tend(now_ns))
        elif self._cpu.brain is not None and self._cpu.brain.is_idle:
            self._cpu.rest()

    def receive(self) -> list[Answer]:
        """The frames that are back."""
        answers, self._staff.orphans = self._staff.orphans, []
        for brain in self._all:
            answers += brain.receive()
        return answers

    def end(self) -> None:
        """Whatever the processes do."""
        for brain in self._all:
            self._staff.dismiss(brain)

    def _beat(self) -> object:
        return None if self.is_idle else (self.restarts, *(brain.stage().beat() for brain in self._all))

    @property
    def _is_lead_at_work(self) -> bool:
        return self._lead is not None and self._lead.is_at_work

    @property
    def _active(self) -> Brain | None:
        return self._lead.brain if self._lead is not None and self._lead.is_at_work else self._cpu.brain

    @property
    def _checkup(self) -> Checkup:
        return self._lead.checkup if self._lead is not None and self._lead.is_at_work else self._cpu.checkup

    @property
    def _all(self) -> list[Brain]:
        lead = None if self._lead is None else self._lead.brain
        return [brain for brain in (lead, self._cpu.brain) if brain is not None]

    def _tell(self, news: BackendNews | None) -> None:
        if news is not None:
            self._news.append(news)
