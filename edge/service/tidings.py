"""Which changes of a camera are worth an event."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.events import EventType
from edge.service.condition.flapping import Flapping
from edge.service.condition.trouble import Trouble
from edge.service.news import CameraState

_KINDS = {
    CameraState.ONLINE: EventType.CAMERA_ONLINE,
    CameraState.OFFLINE: EventType.CAMERA_OFFLINE,
    CameraState.FROZEN: EventType.CAMERA_FROZEN,
    CameraState.IMPAIRED: EventType.CAMERA_IMPAIRED,
}
# What a camera was before is no news: the start, and what a command did.
_QUIET = {None, CameraState.DISABLED}


@dataclass(frozen=True, slots=True)
class Tiding:
    """An event to be told; ``reason`` : a code, where something is wrong."""

    type: EventType
    reason: str | None = None


class Tidings:
    """One camera's. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._flapping = Flapping()
        self._now: Tiding | None = None

    @property
    def is_flapping(self) -> bool:
        return self._flapping.is_on

    def hear(self, before: CameraState | None, state: CameraState, reason: str | None, now_s: float) -> Tiding | None:
        """The state has changed."""
        kind = _KINDS.get(state)
        if kind is None:
            return None
        self._now = Tiding(kind, reason)
        if before in _QUIET:
            return None
        was_flapping = self._flapping.is_on
        if self._flapping.change(now_s):
            return self._now
        return None if was_flapping else Tiding(EventType.CAMERA_OFFLINE, Trouble.FLAPPING)

    def look(self, now_s: float) -> Tiding | None:
        """Time has passed: a camera that flapped and came to rest is told as it is now. Away, it was told so."""
        is_over = self._flapping.look(now_s)
        return self._now if is_over and self._now and self._now.type is not EventType.CAMERA_OFFLINE else None
