"""One publisher after another: the first is asked to leave, and the next takes its place once it has."""

from __future__ import annotations

from edge.core.protocols import Clock
from edge.service import letters
from edge.service.child import Child
from edge.service.letters import Leave

CHANGE_S = 2.0  # to deliver what is under way and to say offline; what is left waits in the outbox
_NS_PER_S = 1_000_000_000


class PublisherChange:
    """``plan`` from any thread, all else by the one that tends the publisher."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._successor: Child | None = None
        self._until_ns: int | None = None

    def plan(self, successor: Child) -> None:
        self._successor = successor

    def cancel(self) -> None:
        """All ends: nobody comes any more."""
        self._successor = None

    def step(self, child: Child) -> Child:
        """Do what is due; the publisher from now on."""
        successor, now_ns = self._successor, self._clock.monotonic_ns()
        if successor is None:
            return child
        if self._until_ns is None:
            self._until_ns = now_ns + round(CHANGE_S * _NS_PER_S)
            if child.send(letters.encode(Leave(CHANGE_S - 0.5))):
                child.dismiss()
            return child
        if not (child.has_gone or child.pid is None or now_ns >= self._until_ns):
            return child
        child.end(is_late=False)
        self._successor = self._until_ns = None
        return successor
