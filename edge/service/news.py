"""What a capture thread has to say about its camera."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.core.errors import EdgeError


class CameraState(StrEnum):
    ONLINE = "online"
    FROZEN = "frozen"  # frames come, and it is always the same one
    IMPAIRED = "impaired"  # frames come, and show little
    OFFLINE = "offline"  # away, being tried again
    ENDED = "ended"  # a recording that came to its end
    DISABLED = "disabled"  # switched off by command
    FAILED = "failed"  # a recording that can't be read: trying again will not help


@dataclass(frozen=True, slots=True)
class CameraNews:
    """A change of one camera's state.

    error : why, in words, where there is a why
    reason : why, as a code
    """

    camera: str
    state: CameraState
    error: EdgeError | None = None
    reason: str | None = None
