"""Inside the publisher's process: one thread talks to the broker, this one to the service."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from edge.core.protocols import Clock
from edge.core.values import Message
from edge.service import letters
from edge.service.channel import Channel, ChannelClosedError
from edge.service.inside import first_frame, leave_at_once
from edge.service.letters import Arrived, Committed, Leave, Progress, Setup, Tell
from edge.wire.wake import Wake

logger = logging.getLogger(__name__)

_REPORT_NS = 1_000_000_000
_LAST_WORD_S = 1.0
_ARRIVED = 100  # messages that wait for the service to read them; then the oldest goes


class Sender(Protocol):
    """What publishes; ``run`` returns some time after ``leave``."""

    def run(self) -> None: ...

    def send(self, message: Message) -> None: ...

    def hint(self) -> None: ...

    def leave(self, within_s: float) -> None: ...


class Publisher:
    """Lives until the service tells it to leave, or is gone.

    progress : how it goes, given how many messages were taken from the service
    alive : called with each turn, once a second at least
    """

    def __init__(
        self,
        channel: Channel,
        sender: Sender,
        *,
        progress: Callable[[int], Progress],
        clock: Clock,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._channel = channel
        self._sender = sender
        self._progress = progress
        self._clock = clock
        self._alive = alive
        self._wake = Wake()
        self._arrived: deque[Arrived] = deque(maxlen=_ARRIVED)
        self._heard = 0
        self._is_leaving = False
        self._told_ns = 0
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def pass_on(self, arrived: Arrived) -> None:
        """Something for the service; from any thread."""
        self._arrived.append(arrived)
        self._wake.set()

    def leave(self, within_s: float) -> None:
        """Deliver what can be delivered within the time, say offline, end; safe from a signal handler."""
        self._is_leaving = True
        self._sender.leave(within_s)

    def live(self) -> int:
        """Returns the exit code; does not return when the service is gone."""
        self._thread.start()
        try:
            while self._thread.is_alive():
                self._round()
            self._last_word()
        except ChannelClosedError:
            # Nobody is left to work for. The broker speaks our last will; what it acknowledged this instant is sent
            # again by the next publisher, and is marked so.
            leave_at_once(0)
        return 0 if self._is_leaving else 1

    def _round(self) -> None:
        self._alive()
        if self._channel.wait(1.0, self._wake.fileno()):
            self._wake.clear()
        for frame in self._channel.receive():
            self._obey(frame)
        self._channel.flush()
        while self._arrived and self._channel.has_room:
            self._channel.send(letters.encode(self._arrived.popleft()))
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._told_ns >= _REPORT_NS and self._channel.is_flushed:
            self._told_ns = now_ns
            self._channel.send(letters.encode(self._progress(self._heard)))

    def _obey(self, frame: bytes) -> None:
        match letters.read_by_publisher(frame):
            case Tell(message):
                self._sender.send(message)
                self._heard += 1
            case Committed():
                self._sender.hint()
            case Leave(within_s):
                self.leave(within_s)
            case _:  # Setup
                logger.error("the service spoke its first word twice")

    def _run(self) -> None:
        try:
            self._sender.run()
        except Exception:  # the service starts another publisher, and the log has the reason
            logger.exception("publishing ended by a fault of its own")
        finally:
            self._wake.set()

    def _last_word(self) -> None:
        self._channel.send(letters.encode(self._progress(self._heard)))
        deadline_ns = self._clock.monotonic_ns() + round(_LAST_WORD_S * 1e9)
        while not self._channel.is_flushed and self._clock.monotonic_ns() < deadline_ns:
            self._channel.wait(0.1)
            self._channel.flush()


def first_word(channel: Channel, clock: Clock) -> Setup:
    """What to do; raises ChannelClosedError when nobody says."""
    match letters.read_by_publisher(first_frame(channel, clock)):
        case Setup() as setup:
            return setup
    raise ChannelClosedError("the service began with another word")
