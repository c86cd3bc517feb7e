"""What the service knows about itself, and how that becomes messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge.core.errors import EdgeError
from edge.core.values import Message
from edge.service.letters import Standing
from edge.service.lookout import Condition
from edge.service.meters import Quantiles
from edge.service.news import CameraState, Thinking
from edge.service.steward import Care


@dataclass(frozen=True, slots=True)
class Reading:
    """What the service knows about itself at one instant.

    frames : looked at since the start; rates : frames per second by camera since the reading before
    """

    uptime_s: float
    frames: int
    rates: dict[str, float]
    stages: dict[str, Quantiles]
    drops: dict[str, int]
    cameras: dict[str, CameraState]
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    care: Care = field(default_factory=Care)
    way_out: Standing = field(default_factory=Standing)
    thinking: Thinking = field(default_factory=Thinking)


@dataclass(frozen=True, slots=True)
class Reports:
    """How the service's own state becomes messages.

    standing : reasons that hold whatever is measured, such as ``safe_mode``
    """

    camera: Callable[[str, CameraState], Message]
    health: Callable[[Reading], Message]
    interval_s: float = 30.0
    standing: Callable[[], tuple[str, ...]] = lambda: ()


@dataclass(slots=True)
class Outcome:
    """How a run went: for the exit code and the last words."""

    seconds: float = 0.0
    frames: int = 0
    events: int = 0
    errors: dict[str, EdgeError] = field(default_factory=dict)
    cameras: dict[str, CameraState] = field(default_factory=dict)
    is_stopped: bool = False  # from outside, before its own end
