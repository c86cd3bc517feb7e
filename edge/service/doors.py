"""What the running service needs of those around it: a sight, a way out, and errands between two frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from edge.core.values import Message, Sighting
from edge.service.letters import Standing
from edge.service.lookout import Condition
from edge.service.news import BackendNews, CameraNews, Thinking
from edge.service.progress import Stage


class Sight(Protocol):
    """Cameras and model, in whatever processes they are.

    drops : frames that were not looked at, by cause
    """

    drops: Counter[str]

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Of each camera by its name."""

    @property
    def thinking(self) -> Thinking:
        """What runs the model."""

    @property
    def is_ready(self) -> bool:
        """Whether the model runs. Raises why it can't, where trying again will not help."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is left to be told."""

    def stages(self) -> tuple[Stage, ...]:
        """What works by itself here, for the watchdog."""

    def open(self) -> None: ...

    def wake(self) -> None:
        """Have ``take`` return early; from a signal handler."""

    def take(self, timeout_s: float) -> Sighting | CameraNews | BackendNews | None:
        """What was seen, in each camera's order, or what is new of a camera or the model; None = nothing in time."""

    def stop(self) -> None:
        """Have all cameras closed; what is under way still comes from ``take``."""

    def close(self) -> None:
        """Whatever still goes on."""


class Outlet(Protocol):
    """The way out, driven by a thread of the service."""

    def open(self) -> None: ...

    def run(self) -> None: ...

    def send(self, message: Message) -> None: ...

    def rouse(self) -> None:
        """A message follows soon: wake what sleeps on its way."""

    def tick(self) -> None: ...

    def standing(self) -> Standing: ...

    def describe(self) -> Message: ...
    def stages(self) -> tuple[Stage, ...]:
        """What works by itself here, for the watchdog."""

    def close(self, *, is_hurried: bool) -> None: ...

    def hurry(self) -> None: ...


class Errand(Protocol):
    """What is done between two frames, in the service's own thread: commands, discovery. Both return at once."""

    def open(self) -> list[Message]: ...

    def due(self) -> list[Message]: ...
