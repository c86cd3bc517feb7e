"""What a capture thread has to say about its camera."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.core.errors import EdgeError


class CameraState(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"  # away, being tried again
    ENDED = "ended"  # a recording that came to its end
    DISABLED = "disabled"  # switched off by command
    FAILED = "failed"  # a recording that can't be read: trying again will not help


@dataclass(frozen=True, slots=True)
class CameraNews:
    """A change of one camera's state; ``error`` is why, where there is a why."""

    camera: str
    state: CameraState
    error: EdgeError | None = None
