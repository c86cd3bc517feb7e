"""What the device hears: what it subscribes to, and who is told."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.core.protocols import Clock

PAYLOAD_LIMIT = 4096  # bytes; nothing that a device is told is larger
INBOX_LIMIT = 32  # messages; more than a person or a home asks for at once
_EARLIEST_S, _LATEST_S = 1.0, 5.0  # so that not all devices of a house speak in the second in which it wakes
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came in.

    payload : cut after one byte more than is allowed, so that its reader sees that it is too long
    retained : the broker had kept it: nobody says this now
    """

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic, or all below one (``.../#``), and who is told of what comes there.

    hear : called by the thread that publishes; returns at once
    as_published : a message that is being retained right now counts as retained too (MQTT 5; in 3.1.1 it can't be seen)
    """

    filter: str
    hear: Callable[[Heard], None]
    as_published: bool = False

    def takes(self, topic: str) -> bool:
        """``a/#`` takes ``a/b`` and ``a/b/c``."""
        return topic == self.filter or (self.filter.endswith("/#") and topic.startswith(self.filter[:-1]))


class Inbox:
    """What was heard and not read yet. ``put`` by one thread, ``take`` by another; a full one takes nothing more."""

    def __init__(self, limit: int = INBOX_LIMIT) -> None:
        self._limit = limit
        self._waiting: deque[Heard] = deque()
        self.dropped = 0

    def put(self, heard: Heard) -> None:
        if len(self._waiting) >= self._limit:
            self.dropped += 1
            return
        self._waiting.append(heard)

    def take(self) -> Heard | None:
        """The oldest; None when there is none."""
        return self._waiting.popleft() if self._waiting else None


class Comeback:
    """Home Assistant has started: all state is said again, a moment later.

    Parameters
    ----------
    chance : from 0 to 1, spreads the devices of a house over the seconds
    """

    def __init__(self, clock: Clock, chance: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._chance = chance or random.random
        self._due_ns: int | None = None

    def hear(self, heard: Heard) -> None:
        """A retained ``online`` is old news: it comes when we connect, and then all state is said anyway."""
        if heard.payload == b"online" and not heard.retained and self._due_ns is None:
            pause_s = _EARLIEST_S + (_LATEST_S - _EARLIEST_S) * self._chance()
            self._due_ns = self._clock.monotonic_ns() + round(pause_s * _NS_PER_S)

    def is_due(self) -> bool:
        """Whether the moment has come; once each time."""
        if self._due_ns is None or self._clock.monotonic_ns() < self._due_ns:
            return False
        self._due_ns = None
        return True


class Listening:
    """All that one device listens to, for every connection it makes.

    Parameters
    ----------
    subscriptions : in the order in which the broker is asked for them
    comeback : whose ``online`` makes all state be said again; None = nobody's
    """

    def __init__(self, subscriptions: Sequence[Subscription] = (), comeback: Comeback | None = None) -> None:
        self.subscriptions = tuple(subscriptions)
        self._comeback = comeback

    def hear(self, topic: str, payload: bytes, *, retained: bool) -> None:
        heard = Heard(topic, payload[: PAYLOAD_LIMIT + 1], retained)
        for subscription in self.subscriptions:
            if subscription.takes(topic):
                subscription.hear(heard)

    def is_state_wanted(self) -> bool:
        """Whether somebody has come back who needs all state again."""
        return self._comeback is not None and self._comeback.is_due()
