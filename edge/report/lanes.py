"""What waits to go out, in three lanes: state (last value only), events (kept), detections (fresh or not at all)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from edge.core.values import Message
from edge.report.courier import Courier
from edge.report.stats import Drops

EVENT_LIMIT = 10_000  # about 10 MB; with an outbox only answers to commands wait here
DETECTION_LIMIT = 64  # a few frames of a few cameras; older boxes are worth nothing
STATE_LIMIT = 10_000  # topics, not values

_NS_PER_S = 1_000_000_000


class Lanes:
    """Filled from any thread, emptied by one. The lock is held for a few lookups only; nobody waits for the network.

    Parameters
    ----------
    birth_rank : topic -> its place in the order of re-sending state on a connect, smallest first
    event_limit : events that may wait; when full the oldest goes, and is counted
    courier : brings the events of the outbox; without one, events wait here in memory
    """

    def __init__(
        self, birth_rank: Callable[[str], int], *, event_limit: int = EVENT_LIMIT, courier: Courier | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._birth_rank = birth_rank
        self._event_limit = event_limit
        self._courier = courier
        self._board: dict[str, Message] = {}
        self._changed: dict[str, None] = {}  # topics whose value the broker has not got, in order
        self._events: deque[Message] = deque()
        self._detections: deque[tuple[int, Message]] = deque()
        self._is_connected: bool | None = None  # None: the first connection is still being made
        self._is_birth = False
        self._events_first = True
        self._drops = Drops()

    def put(self, message: Message, now_ns: int) -> None:
        """Take a message: retained goes to the board, QoS 1 to the events, the rest to the detections."""
        with self._lock:
            if message.retain:
                self._post(message)
            elif message.qos > 0:
                self._events.append(message)
                self._shed_events()
            else:
                self._put_detection(message, now_ns)

    def connect(self) -> None:
        """All state is to be sent again, in birth order, before any event."""
        with self._lock:
            self._is_connected = True
            self._is_birth = True
            self._changed = dict.fromkeys(sorted(self._board, key=self._birth_rank))

    def repeat_state(self) -> None:
        """All state again, as on a connect; without a connection the next one does so anyway."""
        with self._lock:
            if self._is_connected:
                self._is_birth = True
                self._changed = dict.fromkeys(sorted(self._board, key=self._birth_rank))

    def disconnect(self, unacknowledged: Iterable[Message]) -> None:
        """What was under way and not acknowledged waits again, in front; detections are gone."""
        with self._lock:
            self._is_connected = False
            self._events.extendleft(reversed(list(unacknowledged)))
            self._shed_events()
            self._count(disconnected=len(self._detections))
            self._detections.clear()

    def put_back(self, event: Message) -> None:
        """An event the broker could not take just now is the next one again."""
        with self._lock:
            self._events.appendleft(event)
            self._shed_events()

    def take(self, now_ns: int, *, is_window_open: bool) -> Message | None:
        """The next message to send, None when nothing can go now.

        After the birth, events and state take turns, so that neither waits for the other's backlog.

        Parameters
        ----------
        is_window_open : whether one more QoS 1 message may be under way
        """
        with self._lock:
            if self._is_birth:
                if self._changed:
                    return self._take_state(is_window_open=is_window_open)
                self._is_birth = False
            event_or_state = self._take_turn(is_window_open=is_window_open)
            return event_or_state or self._take_detection(now_ns)

    def count(self, **more: int) -> None:
        """Count drops that the sender of the messages has seen."""
        with self._lock:
            self._count(**more)

    @property
    def drops(self) -> Drops:
        with self._lock:
            return self._drops

    @property
    def waiting_events(self) -> int:
        with self._lock:
            return len(self._events)

    @property
    def has_new_state(self) -> bool:
        """Whether a topic has a value that was not handed over yet."""
        with self._lock:
            return bool(self._changed)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left that should still be delivered."""
        with self._lock:
            is_delivered = self._courier is None or self._courier.is_idle
            return is_delivered and not self._events and not self._changed and not self._detections

    def _post(self, message: Message) -> None:
        if message.topic not in self._board and len(self._board) >= STATE_LIMIT:
            self._count(overflow=1)
            return
        self._board[message.topic] = message
        self._changed[message.topic] = None

    def _shed_events(self) -> None:
        while len(self._events) > self._event_limit:
            self._events.popleft()
            self._count(overflow=1)

    def _put_detection(self, message: Message, now_ns: int) -> None:
        if self._is_connected is False:
            self._count(disconnected=1)
            return
        if len(self._detections) >= DETECTION_LIMIT:
            self._detections.popleft()
            self._count(expired=1)
        self._detections.append((now_ns, message))

    def _take_turn(self, *, is_window_open: bool) -> Message | None:
        self._events_first = not self._events_first
        if self._events_first:
            return self._take_event(is_window_open=is_window_open) or self._take_state(is_window_open=is_window_open)
        return self._take_state(is_window_open=is_window_open) or self._take_event(is_window_open=is_window_open)

    def _take_event(self, *, is_window_open: bool) -> Message | None:
        if not is_window_open:
            return None
        if self._events:
            return self._events.popleft()
        return None if self._courier is None else self._courier.take()

    def _take_state(self, *, is_window_open: bool) -> Message | None:
        topic = next(iter(self._changed), None)
        if topic is None or (self._board[topic].qos > 0 and not is_window_open):
            return None
        del self._changed[topic]
        return self._board[topic]

    def _take_detection(self, now_ns: int) -> Message | None:
        while self._detections:
            put_ns, message = self._detections.popleft()
            if message.expiry_s is None or now_ns - put_ns < message.expiry_s * _NS_PER_S:
                return message
            self._count(expired=1)
        return None

    def _count(self, **more: int) -> None:
        self._drops = replace(self._drops, **{cause: getattr(self._drops, cause) + n for cause, n in more.items()})
