"""From one CONNECT to its end: birth, sending, acknowledgements, farewell."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from edge.core.errors import BrokerError
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.ceiling import Ceiling
from edge.report.courier import Courier
from edge.report.inflight import InFlight
from edge.report.lanes import Lanes
from edge.report.listening import Listening
from edge.report.parcels import Parcel
from edge.report.stats import Ledger
from edge.report.verdicts import Verdicts
from edge.wire.connection import Connection
from edge.wire.packets import Limits, Version, packet_bytes
from edge.wire.reasons import PACKET_TOO_LARGE, QUOTA_EXCEEDED, SUCCESS, Cause, Ending, refusal
from edge.wire.settings import Pace
from edge.wire.wake import Wake

logger = logging.getLogger(__name__)

_LONGEST_WAIT_S = 1.0  # keep-alive and deadlines are looked at this often
_SENT_AT_ONCE = 100  # then acknowledgements are read, however much is waiting
_FAREWELL_SHARE = 0.25  # of the time to leave, kept for saying "offline"
_QUOTA_PAUSE_NS = 1_000_000_000
_NS_PER_S = 1_000_000_000


class Session:
    """Lives on one connection until it ends or ``leave_by`` names a time to leave.

    Parameters
    ----------
    listening : what is subscribed to on the way in, and who is told
    leave_by : the monotonic time to be gone by; None = stay
    farewell : the last message before a wanted end
    ceiling : what earlier connections have shown of the broker's limit
    courier : where durable events come from; ``lanes`` takes them from it
    """

    def __init__(
        self,
        connection: Connection,
        *,
        version: Version,
        lanes: Lanes,
        ledger: Ledger,
        wake: Wake,
        clock: Clock,
        pace: Pace,
        client_id: str,
        farewell: Message,
        listening: Listening,
        leave_by: Callable[[], int | None],
        ceiling: Ceiling,
        courier: Courier | None = None,
    ) -> None:
        self._connection = connection
        self._version = version
        self._lanes = lanes
        self._ledger = ledger
        self._wake = wake
        self._clock = clock
        self._pace = pace
        self._client_id = client_id
        self._farewell = farewell
        self._listening = listening
        self._leave_by = leave_by
        self._ceiling = ceiling
        self._courier = courier
        self._verdicts = Verdicts(lanes, ledger, client_id)
        self._limits = Limits()
        self._largest_unasked = 0  # bytes of the largest packet that no acknowledgement will come for
        self._in_flight = InFlight()
        self._hold_until_ns = 0
        self._busy = threading.Lock()  # free while this thread waits for the network
        self._is_serving = False
        self._failure: Exception | None = None  # of a thread that is not ours

    def live(self) -> Ending:
        """Connect, stay, and say how it ended; never raises what the network or the broker can cause."""
        try:
            self._connection.open()
            ending = self._await_answer() or self._serve()
            if ending.code == PACKET_TOO_LARGE:
                self._ceiling.learn(self._largest_suspect())
            return ending
        except BrokerError as error:
            return Ending(Cause.LOST, str(error))
        except Exception as error:  # whatever bytes a broker sends, publishing goes on with the next connection
            logger.debug("the connection broke", exc_info=True)
            return Ending(Cause.LOST, f"what the broker sent could not be read ({type(error).__name__}: {error})")
        finally:
            with self._busy:
                self._is_serving = False
                self._close()

    def _close(self) -> None:
        self._connection.drop()
        self._lanes.disconnect(self._in_flight.events())
        if self._courier is not None:
            self._courier.disconnected(self._in_flight.parcels())
        self._ledger.disconnected()

    def send_at_once(self) -> bool:
        """Send what waits, in the thread that calls; whether nothing of it is left for the session's own thread.

        Never waits: while the other thread reads the disk or the network, the message is left to it.
        """
        if not self._busy.acquire(blocking=False):
            return False
        try:
            is_sent = self._is_serving and not self._send_waiting()
            return is_sent and self._connection.is_open and self._connection.is_drained
        except Exception as error:  # noqa: BLE001  # the other thread ends the session with it
            self._failure = error
            return False
        finally:
            self._busy.release()

    def _await_answer(self) -> Ending | None:
        """Wait for CONNACK; None = welcome."""
        deadline_ns = self._now_ns() + round(self._pace.acknowledge_s * _NS_PER_S)
        while self._connection.answer is None:
            self._ledger.beat += 1
            if not self._connection.is_open:
                return self._connection.ending()
            leave_by = self._leave_by()
            now_ns = self._now_ns()
            if leave_by is not None and now_ns >= leave_by:
                return Ending(Cause.CLOSED)
            if now_ns >= deadline_ns:
                return Ending(Cause.LOST, f"the broker did not answer within {self._pace.acknowledge_s:g} s")
            self._connection.wait(self._wake, self._until(min(deadline_ns, leave_by or deadline_ns)))
        answer = self._connection.answer
        if answer.code != SUCCESS:
            return refusal(answer.code, self._client_id)
        self._limits = self._ceiling.lowered(answer.limits)
        if self._courier is not None:
            self._courier.connected(self._limits, self._version)
        self._subscribe()
        self._lanes.connect()  # first: whoever is told of the connection may send at once
        self._ledger.connected(self._version.value, self._now_ns())
        return None

    def _serve(self) -> Ending:
        self._is_serving = True
        while self._connection.is_open:
            leave_by = self._leave_by()
            if leave_by is not None:
                with self._busy:
                    self._is_serving = False
                return self._leave(leave_by)
            self._work(self._patience_s)
            if self._is_overdue():
                return Ending(Cause.LOST, f"no acknowledgement for {self._pace.acknowledge_s:g} s")
        return self._connection.ending()

    def _subscribe(self) -> None:
        """Before the first word, so that nobody who hears it asks in vain."""
        wanted = self._listening.subscriptions
        if wanted:
            as_published = {each.filter for each in wanted if each.as_published}
            self._connection.subscribe([each.filter for each in wanted], as_published=as_published)

    def _listen(self) -> None:
        for message in self._connection.received():
            self._connection.acknowledge(message)
            self._listening.hear(message.topic, message.payload, retained=message.retain)
        for codes in self._connection.subscribed():
            self._verdicts.tell_unheard([each.filter for each in self._listening.subscriptions], codes)
        if self._listening.is_state_wanted():
            self._lanes.repeat_state()

    def _leave(self, leave_by_ns: int) -> Ending:
        """Deliver what can be delivered, say offline, go. Without its acknowledgement the last will has to speak."""
        reserve_ns = round((leave_by_ns - self._now_ns()) * _FAREWELL_SHARE)
        self._work_until(leave_by_ns - reserve_ns, self._is_done)
        if self._connection.is_open and len(self._in_flight) < self._limits.window:
            self._hand_over(self._farewell)
            self._work_until(leave_by_ns, lambda: not len(self._in_flight), is_sending=False)
            if self._connection.is_open and not len(self._in_flight):
                self._connection.disconnect()
        return Ending(Cause.CLOSED)

    def _work_until(self, deadline_ns: int, is_done: Callable[[], bool], *, is_sending: bool = True) -> None:
        while self._connection.is_open and self._now_ns() < deadline_ns and not (is_done() or self._is_overdue()):
            self._work(lambda: self._until(deadline_ns), is_sending=is_sending)

    def _is_done(self) -> bool:
        return self._lanes.is_empty and not len(self._in_flight)

    def _work(self, patience_s: Callable[[], float], *, is_sending: bool = True) -> None:
        """One round: send what can go, wait for something to happen, read what it was."""
        self._ledger.beat += 1
        if self._failure is not None:
            raise self._failure
        with self._busy:
            if self._courier is not None:
                self._courier.look()
            longest_s = self._send(patience_s) if is_sending else patience_s()
        events = self._connection.watch(self._wake, longest_s)
        with self._busy:
            self._connection.serve(events)
            self._settle()
            self._listen()

    def _send(self, patience_s: Callable[[], float]) -> float:
        """Send what can go; how long to wait then."""
        longest_s = 0.0 if self._send_waiting() else patience_s()
        if self._courier is not None and len(self._in_flight) < self._limits.window:
            soon_s = self._courier.patience_s()
            longest_s = longest_s if soon_s is None else min(longest_s, soon_s)
        return longest_s

    def _send_waiting(self) -> bool:
        """Send what can go now, a handful at a time; whether more could go at once."""
        for _ in range(_SENT_AT_ONCE):
            if not (self._connection.is_open and self._connection.is_drained):
                return False
            now_ns = self._now_ns()
            is_window_open = len(self._in_flight) < self._limits.window and now_ns >= self._hold_until_ns
            message = self._lanes.take(now_ns, is_window_open=is_window_open)
            if message is None:
                return False
            self._hand_over(message)
        return True

    def _hand_over(self, message: Message) -> None:
        try:
            size = packet_bytes(message, self._version)
            if size > self._limits.packet_bytes:
                self._verdicts.book_too_large(message, size, self._limits.packet_bytes)
                return
            number = self._connection.publish(message, expiry_s=message.expiry_s)
        except ValueError as error:  # a topic with a wildcard, or one that is no text
            self._lanes.count(refused=1)
            self._ledger.trouble(f"a message on {message.topic!r:.100} can't be sent: {error}")
            return
        if message.qos > 0:
            self._in_flight.add(number, message, self._now_ns())
            self._ledger.in_flight = len(self._in_flight)
        else:
            self._largest_unasked = max(self._largest_unasked, size)

    def _largest_suspect(self) -> int:
        """Of what the broker has not shown to take."""
        sizes = (packet_bytes(message, self._version) for message in self._in_flight.messages())
        return max(self._largest_unasked, *sizes, 0)

    def _settle(self) -> None:
        """Read what became of the messages: an acknowledgement can be a refusal."""
        for number, code in self._connection.acknowledged():
            message = self._in_flight.take(number)
            if message is None:
                continue
            if self._courier is not None and isinstance(message, Parcel):
                self._courier.settle(message, code)
            if code == QUOTA_EXCEEDED and not message.retain:
                if not isinstance(message, Parcel):
                    self._lanes.put_back(message)
                self._hold_until_ns = self._now_ns() + _QUOTA_PAUSE_NS
                self._ledger.trouble("the broker's quota is used up: sending more slowly")
            else:
                self._verdicts.book(message, code)
        self._ledger.in_flight = len(self._in_flight)

    def _is_overdue(self) -> bool:
        with self._busy:
            oldest_ns = self._in_flight.oldest_ns()
        return oldest_ns is not None and self._now_ns() - oldest_ns >= self._pace.acknowledge_s * _NS_PER_S

    def _patience_s(self) -> float:
        oldest_ns = self._in_flight.oldest_ns()
        if oldest_ns is None:
            return _LONGEST_WAIT_S
        return self._until(oldest_ns + round(self._pace.acknowledge_s * _NS_PER_S))

    def _until(self, deadline_ns: int) -> float:
        """Seconds to a deadline, at most as long as a wait may be."""
        return min(_LONGEST_WAIT_S, max(0.0, (deadline_ns - self._now_ns()) / _NS_PER_S))

    def _now_ns(self) -> int:
        return self._clock.monotonic_ns()
