"""The way out to an MQTT broker: connects, comes back, and never lets the network stop the detector."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.core.errors import ConfigError
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.ceiling import Ceiling
from edge.report.courier import Courier
from edge.report.lanes import EVENT_LIMIT, Lanes
from edge.report.listening import Listening
from edge.report.session import Session
from edge.report.states import offline_message, online_message
from edge.report.stats import BrokerStats, Ledger
from edge.report.topics import Topics
from edge.wire.comeback import Comeback
from edge.wire.connection import Connection
from edge.wire.packets import Hello
from edge.wire.reasons import Cause, Ending
from edge.wire.settings import BrokerSettings, Pace
from edge.wire.tls import make_context
from edge.wire.wake import Wake

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 4.0
_GRACE_S = 0.3  # for run() to tidy up after its own deadline
_SHORT_LIVES = 3  # connections in a row: mosquitto, for one, does not say when a client of the same id takes over
_NS_PER_S = 1_000_000_000


class MqttSink:
    """A Sink whose ``run`` does the work in a thread that the caller owns.

    ``open`` and ``send`` never wait for the network. Retained messages go to a board (last value only, re-sent on every
    connect), QoS 1 messages wait in a bounded queue until the broker has acknowledged them, all else is dropped while
    there is no connection.

    Parameters
    ----------
    topics : of this device; its name is the client id
    listening : what is heard; None = nothing
    event_limit : events that may wait; then the oldest is dropped and counted
    courier : brings events from an outbox; its disk is touched by the thread of ``run`` alone

    Examples
    --------
    >>> sink = MqttSink(BrokerSettings("localhost", 1883), topics=Topics("gate"), clock=SystemClock())  # doctest: +SKIP
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        topics: Topics,
        clock: Clock,
        pace: Pace | None = None,
        listening: Listening | None = None,
        event_limit: int = EVENT_LIMIT,
        chance: Callable[[], float] | None = None,
        courier: Courier | None = None,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._clock = clock
        self._pace = pace or Pace()
        self._listening = listening or Listening()
        self._lanes = Lanes(topics.birth_rank, event_limit=event_limit, courier=courier)
        self._courier = courier
        self._ceiling = Ceiling(clock)
        self._ledger = Ledger()
        self._comeback = Comeback(self._pace, chance=chance)
        self._wake = Wake()
        self._finished = Wake()
        self._is_running = False
        self._leave_by_ns: int | None = None
        self._session: Session | None = None

    def open(self) -> None:
        """Check what can be checked without the network; raises ConfigError."""
        if self._settings.tls is not None:
            make_context(self._settings.tls)
        self._leave_by_ns = None
        self.send(online_message(self._topics))

    def send(self, message: Message) -> None:
        """Take a message from any thread; returns at once. It is on its way then, where nothing stands in the way."""
        if message.qos not in (0, 1):
            raise ValueError(f"message on {message.topic}: expected QoS 0 or 1, found {message.qos}")
        self._lanes.put(message, self._clock.monotonic_ns())
        session = self._session
        if session is None or not session.send_at_once():
            self._wake.set()

    def run(self) -> None:
        """Stay connected until ``close``; returns then and never raises what a broker can cause."""
        self._is_running = True
        self._finished.clear()
        try:
            while self._has_time() and self._pause(self._live_once()):
                pass
        finally:
            self._is_running = False
            self._finished.set()

    def leave(self, within_s: float) -> None:
        """Ask ``run`` to deliver what can be delivered, publish ``offline`` and return within the time."""
        self._leave_by_ns = self._clock.monotonic_ns() + round(within_s * _NS_PER_S)
        self._wake.set()

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Leave, and be back within the time, whatever the broker does."""
        self.leave(timeout_s)
        if self._is_running and not self._finished.wait(timeout_s + _GRACE_S):
            logger.warning("broker %s: did not let go within %g s", self._settings.address, timeout_s)

    def hint(self) -> None:
        """The outbox has something new; from any thread."""
        if self._courier is not None:
            self._courier.hint()
            self._wake.set()

    def stats(self) -> BrokerStats:
        """How it goes; from any thread."""
        return self._ledger.snapshot(self._lanes.drops, waiting_events=self._lanes.waiting_events)

    def is_settled(self) -> bool:
        """Whether the broker has all state as it is now; from any thread."""
        return self._ledger.is_connected and not self._lanes.has_new_state and not self._ledger.in_flight

    def _has_time(self) -> bool:
        """False when ``close`` was long ago; what was sent just before a quick ``close`` still has its chance."""
        return self._leave_by_ns is None or self._clock.monotonic_ns() < self._leave_by_ns

    def _live_once(self) -> float:
        """One connection from its first to its last byte; returns how long to wait before the next."""
        self._ledger.beat += 1
        version = self._comeback.version
        try:
            context = None if self._settings.tls is None else make_context(self._settings.tls)
        except ConfigError as error:  # a certificate being renewed just now; open() has seen good ones
            self._ledger.trouble(str(error))
            return self._comeback.stumble_s()
        will = offline_message(self._topics)
        connection = Connection(
            self._settings,
            hello=Hello(self._topics.device, will=will),
            version=version,
            context=context,
            pace=self._pace,
        )
        session = self._session = Session(
            connection,
            version=version,
            lanes=self._lanes,
            ledger=self._ledger,
            wake=self._wake,
            clock=self._clock,
            pace=self._pace,
            client_id=self._topics.device,
            farewell=will,
            listening=self._listening,
            leave_by=lambda: self._leave_by_ns,
            ceiling=self._ceiling,
            courier=self._courier,
        )
        connects = self._ledger.connects
        ending = session.live()
        self._session = None
        return self._next_pause_s(ending, was_connected=self._ledger.connects > connects)

    def _next_pause_s(self, ending: Ending, *, was_connected: bool) -> float:
        if ending.cause is Cause.CLOSED:
            return 0.0
        lived_s = (self._clock.monotonic_ns() - self._ledger.connected_ns) / _NS_PER_S if was_connected else None
        seconds = self._comeback.pause_s(ending, lived_s=lived_s)
        self._tell(ending)
        return seconds

    def _tell(self, ending: Ending) -> None:
        self._ledger.is_refused = ending.cause is Cause.REFUSED
        address = f"broker {self._settings.address}: "
        words = ending.words if ending.words.startswith(address) else address + ending.words
        if ending.cause is Cause.LOST and self._comeback.short_lives >= _SHORT_LIVES:
            words += f", soon after each connect: does another client use the id {self._topics.device}?"
        self._ledger.trouble(words)

    def _pause(self, seconds: float) -> bool:
        """Wait before the next attempt; whether there should be one."""
        until_ns = self._clock.monotonic_ns() + round(seconds * _NS_PER_S)
        if self._leave_by_ns is None:
            logger.debug("next attempt in %.1f s", seconds)
        while self._leave_by_ns is None:
            self._ledger.beat += 1
            left_s = (until_ns - self._clock.monotonic_ns()) / _NS_PER_S
            if left_s <= 0:
                return True
            # At most a second at a time: a clock moved by hand, or a machine that slept, is noticed.
            self._wake.wait(min(left_s, 1.0))
            self._wake.clear()
        return False
