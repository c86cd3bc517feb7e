"""What a camera's process says of a frame that it has written into shared memory."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.glance import Glance
from edge.core.values import FrameFacts


@dataclass(frozen=True, slots=True)
class Announced:
    """A frame that lies in a slot.

    small : (width, height) of the picture made small ahead
    tries : how often a process ended while it looked at this frame
    glance : what a cheap look at it found, or at the frame before it; None = nobody has looked
    era : grows when the camera's source becomes another one
    has_picture : whether the frame itself is in the slot, beside the one made small
    """

    slot: int
    frame: FrameFacts
    small: tuple[int, int] | None = None
    tries: int = 0
    glance: Glance | None = None
    era: int = 0
    has_picture: bool = True
