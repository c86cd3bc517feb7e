"""Who runs the model, and who is to run it next: the next one is tried first, and takes over between two frames."""

from __future__ import annotations

from edge.service.brains import Brains
from edge.service.inference import Answer


class Succession:
    """All methods belong to one thread.

    now : who is at work
    is_held : no more frames for those at work: the next ones take over when all are answered
    """

    def __init__(self, brains: Brains) -> None:
        self.now = brains
        self.is_held = False
        self._next: Brains | None = None
        self._rejected = 0

    @property
    def rejected(self) -> int:
        """Boxes that were none, so far, of all who ever were at work."""
        return self._rejected + self.now.rejected

    def rehearse(self, brains: Brains, *, is_tried: bool) -> None:
        """Have others ready to take over.

        Parameters
        ----------
        is_tried : they begin beside those at work, to see whether they can; else, as where there is one accelerator
            for all, when those have ended
        """
        self.abandon()
        self._next, self.is_held = brains, not is_tried

    def is_rehearsed(self) -> bool:
        """Whether the next ones can take over now. Raises why they never will."""
        if self._next is None:
            return True
        if self._next.error is not None:
            raise self._next.error
        if self._next.ready is not None:
            self.is_held = True
        return self.is_held and self.now.is_idle

    def succeed(self) -> bool:
        """The next ones take over, if there are any; those before end."""
        if self._next is None:
            return False
        self._rejected += self.now.rejected
        self.now.end()
        self.now, self._next, self.is_held = self._next, None, False
        return True

    def abandon(self) -> None:
        """All stays as it is."""
        if self._next is not None:
            self._next.end()
        self._next, self.is_held = None, False

    def filenos(self) -> list[int]:
        """To wait for."""
        return [number for brains in self._all for number in brains.filenos()]

    def receive(self) -> list[Answer]:
        """The frames that are back."""
        return [answer for brains in self._all for answer in brains.receive()]

    def tend(self) -> None:
        """Start, test and end what has to be."""
        self.now.tend()
        if self._next is not None and not self._waits_for_the_end:
            self._next.tend()

    def end(self) -> None:
        """Whatever the processes do."""
        for brains in self._all:
            brains.end()

    @property
    def _waits_for_the_end(self) -> bool:
        return self.is_held and self._next is not None and self._next.ready is None

    @property
    def _all(self) -> tuple[Brains, ...]:
        return (self.now,) if self._next is None else (self.now, self._next)
