"""What waits for the publisher beside the events: the last value of each state, and a few boxes of single frames."""

from __future__ import annotations

import threading
from collections import Counter, deque

from edge.core.values import Message

STATE_LIMIT = 10_000
DETECTION_LIMIT = 64


class Board:
    """State is kept, so that it can be told again; detections are taken once. Any thread puts, one takes.

    drops : by cause, what found no place
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: dict[str, Message] = {}
        self._changed: dict[str, None] = {}
        self._detections: deque[Message] = deque()
        self._taken = 0
        self.drops: Counter[str] = Counter()

    def is_known(self, heard: int) -> bool:
        """Whether one who has heard so many messages knows all state as it is now."""
        with self._lock:
            return not self._changed and heard == self._taken

    def put(self, message: Message) -> None:
        """Take a message; never waits."""
        with self._lock:
            if message.retain:
                self._post(message)
            else:
                self._offer(message)

    def take(self) -> Message | None:
        """State first."""
        with self._lock:
            topic = next(iter(self._changed), None)
            if topic is None and not self._detections:
                return None
            self._taken += 1
            if topic is None:
                return self._detections.popleft()
            del self._changed[topic]
            return self._state[topic]

    def put_back(self, message: Message) -> None:
        """It could not be told: it is the next again."""
        with self._lock:
            self._taken -= 1
            if message.retain:
                self._changed = {message.topic: None} | self._changed
            else:
                self._detections.appendleft(message)

    def tell_all_again(self) -> None:
        """To one who knows nothing."""
        with self._lock:
            self._taken = 0
            self._changed = dict.fromkeys(self._state)

    def _post(self, message: Message) -> None:
        if message.topic not in self._state and len(self._state) >= STATE_LIMIT:
            self.drops["message_overflow"] += 1
            return
        self._state[message.topic] = message
        self._changed[message.topic] = None

    def _offer(self, message: Message) -> None:
        if len(self._detections) >= DETECTION_LIMIT:
            self._detections.popleft()
            self.drops["message_no_publisher"] += 1
        self._detections.append(message)
