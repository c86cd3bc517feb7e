"""Who holds which slot of a camera's shared memory. One thread keeps the book, so nobody reads what another writes."""

from __future__ import annotations

from enum import Enum

# One being written, one announced and not yet looked at, and three with the model: one it runs on, one that waits,
# and the newer one that takes the place of the waiting one while word of that is on its way.
SLOTS = 5


class LeaseError(Exception):
    """Somebody speaks of a slot that is not theirs: their process can't be trusted any more."""


class Holder(Enum):
    NOBODY = "nobody"
    CAMERA = "camera"  # may write into it
    ARBITER = "arbiter"  # holds a whole frame that nobody looks at yet
    MODEL = "model"  # may read from it


class Leases:
    """The slots of one camera.

    Lent in the order last in, first out: of slots that were never needed no memory is ever touched.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        self._holders = [Holder.NOBODY] * slots

    @property
    def granted(self) -> int | None:
        """The slot that the camera may write into."""
        return self._first(Holder.CAMERA)

    def held_by(self, holder: Holder) -> tuple[int, ...]:
        """The slots that somebody holds."""
        return tuple(slot for slot, each in enumerate(self._holders) if each is holder)

    def grant(self) -> int | None:
        """Let the camera write: one slot at a time. None = it has one, or none is free."""
        slot = self._first(Holder.NOBODY)
        if self.granted is not None or slot is None:
            return None
        self._holders[slot] = Holder.CAMERA
        return slot

    def announce(self, slot: int) -> None:
        """The camera has written a frame and gives the slot up."""
        self._move(slot, Holder.CAMERA, Holder.ARBITER)

    def lend(self, slot: int) -> None:
        """The model is to look at it."""
        self._move(slot, Holder.ARBITER, Holder.MODEL)

    def take_back(self, slot: int) -> None:
        """The model has answered, or is no more."""
        self._move(slot, Holder.MODEL, Holder.ARBITER)

    def free(self, slot: int) -> None:
        """Nobody will look at this frame any more."""
        self._move(slot, Holder.ARBITER, Holder.NOBODY)

    def lose_camera(self) -> None:
        """The camera's process is gone; what it was writing is no frame."""
        if self.granted is not None:
            self._holders[self.granted] = Holder.NOBODY

    def _first(self, holder: Holder) -> int | None:
        return next((slot for slot, each in enumerate(self._holders) if each is holder), None)

    def _move(self, slot: int, giver: Holder, taker: Holder) -> None:
        found = self._holders[slot] if 0 <= slot < len(self._holders) else None
        if found is not giver:
            raise LeaseError(f"slot {slot}: expected it with the {giver.value}, found it with {found and found.value}")
        self._holders[slot] = taker
