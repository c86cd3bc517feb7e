"""What a consumer wants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.core.errors import ConfigError
from edge.core.names import NAME_RULE, is_name

_DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """Who consumes, what, and within which bounds.

    name : stands in ``cursor/<name>`` and in the client id, and must be known to one process alone;
        None = follow from now on, keep no position, confirm nothing
    path : the file with position and events not handed over yet; needed with a name
    device : the one to follow; None = all
    strict_order : hand over each device's events by number only; one that is missing holds up those after it
    most_waiting, most_waiting_bytes : stored events not handed over yet; at the bound nothing more is taken in, and the
        device keeps the rest
    grace_s : how long a missing event may be on its way before it is asked for
    longest_ask_s : the longest pause between two requests for the same events
    session_s : how long the broker keeps our session while we are away
    """

    name: str | None = None
    path: Path | None = None
    device: str | None = None
    strict_order: bool = False
    most_waiting: int = 10_000
    most_waiting_bytes: int = 64 * 1024 * 1024
    grace_s: float = 5.0
    longest_ask_s: float = 300.0
    session_s: int = 14 * _DAY_S

    def __post_init__(self) -> None:
        if self.name is not None and not is_name(self.name):
            raise ConfigError(f"consumer name {self.name!r:.80}: expected {NAME_RULE}")
        if (self.name is None) != (self.path is None):
            raise ConfigError("a consumer with a name needs a file for its position, and one without keeps none")
        if self.most_waiting < 1:
            raise ConfigError(f"most_waiting: expected at least 1, found {self.most_waiting}")
