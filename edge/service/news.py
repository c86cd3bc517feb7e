"""What a capture thread has to say about its camera."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.core.errors import EdgeError, SourceError
from edge.core.events import EventType
from edge.core.values import Sighting

ROLLED_BACK = "model_rolled_back"


class CameraState(StrEnum):
    ONLINE = "online"
    FROZEN = "frozen"  # frames come, and it is always the same one
    IMPAIRED = "impaired"  # frames come, and show little
    OFFLINE = "offline"  # away, being tried again
    ENDED = "ended"  # a recording that came to its end
    DISABLED = "disabled"  # switched off by command
    FAILED = "failed"  # a recording that can't be read: trying again will not help


@dataclass(frozen=True, slots=True)
class Thinking:
    """What runs the model now.

    model : name and backend of what works; None = nothing yet
    accelerator : "in_use", "away" or "on_trial"; None = there is none to be used
    reasons : codes for health
    restarts : of the model's processes
    """

    backend: str = "cpu"
    model: str | None = None
    accelerator: str | None = None
    reasons: tuple[str, ...] = ()
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class BackendNews:
    """Something else runs the model from now on.

    is_accelerated : the accelerator works again
    reason : a code for health; None = all is well
    words : why
    """

    is_accelerated: bool
    reason: str | None
    words: str

    @property
    def event(self) -> EventType:
        """As which it is told."""
        if self.is_accelerated:
            return EventType.ACCELERATOR_BACK
        return EventType.MODEL_ROLLED_BACK if self.reason == ROLLED_BACK else EventType.ACCELERATOR_LOST


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

    @classmethod
    def away(cls, camera: str, state: CameraState, error: EdgeError | None) -> CameraNews:
        """Of a source that raised."""
        if state is CameraState.OFFLINE and isinstance(error, SourceError):
            return cls(camera, state, error, error.reason)
        return cls(camera, state, error)


def camera_of(item: Sighting | CameraNews | BackendNews) -> str | None:
    """Whose it is; None = of all."""
    match item:
        case Sighting():
            return item.frame.camera
        case CameraNews():
            return item.camera
    return None
