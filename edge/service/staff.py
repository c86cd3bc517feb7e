"""Who keeps the processes that run a model, and what goes for all of them, whichever works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.core.errors import EdgeError
from edge.service.announced import Announced
from edge.service.checkup import Checkup
from edge.service.fault import Fault
from edge.service.infer_letters import Corners, Pictured, Ready, SelfTest, Tested
from edge.service.inference import Answer
from edge.service.progress import Stage


class Brain(Protocol):
    """One process that runs a model, as ``edge.service.brain`` keeps it."""

    ready: Ready | None
    error: EdgeError | None
    fault: Fault | None
    rejected: int
    raving: int

    @property
    def pid(self) -> int | None: ...

    @property
    def restarts(self) -> int: ...

    @property
    def is_idle(self) -> bool: ...

    @property
    def waits_s(self) -> float: ...

    def trust(self) -> None: ...

    def fileno(self) -> int | None: ...

    def has_room(self) -> bool: ...

    def may_replace(self, camera: str) -> bool: ...

    def is_at(self, camera: str) -> bool: ...

    def look(self, announced: Announced, *, is_replaceable: bool) -> bool: ...

    def rouse(self) -> None: ...

    def tune(self, threshold: float) -> None: ...

    def test(self, letter: SelfTest) -> bool: ...

    def take_tested(self) -> Tested | None: ...

    def photograph(self, camera: str, sequence: int, hidden: tuple[Corners, ...]) -> bool: ...

    def take_pictured(self) -> Pictured | None: ...

    def stage(self) -> Stage: ...

    def tend(self) -> None: ...

    def receive(self) -> list[Answer]: ...

    def end(self) -> list[Answer]: ...


@dataclass(frozen=True, slots=True)
class Version:
    """One way to run the model.

    make : who keeps its process; not started yet
    checkup : its self-tests
    """

    make: Callable[[], Brain]
    checkup: Checkup


class Staff:
    """Hires and dismisses.

    orphans : frames that were with those who were dismissed
    restarts, rejected : of those who were dismissed; see ``Brain``
    """

    def __init__(self) -> None:
        self.threshold: float | None = None
        self.orphans: list[Answer] = []
        self.restarts = 0
        self.rejected = 0

    def hire(self, version: Version) -> Brain:
        brain = version.make()
        version.checkup.begin()
        if self.threshold is not None:
            brain.tune(self.threshold)
        return brain

    def dismiss(self, brain: Brain) -> None:
        """End the process, whatever it does."""
        self.restarts += brain.restarts
        self.rejected += brain.rejected
        self.orphans += brain.end()
