"""Telling devices how far we have come: the retained cursor, a few times a second at most."""

from __future__ import annotations

from collections.abc import Iterable

from edge.client.addresses import Addresses
from edge.client.book import Book, Key
from edge.client.notices import Notice, NoticeKind, Tell
from edge.client.payloads import cursor_payload
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.wire.connection import Connection
from edge.wire.reasons import NO_SUBSCRIBER, SUCCESS

PAUSE_S = 0.2
_NS_PER_S = 1_000_000_000


class Confirmations:
    """What is due, what is under way. The topic holds one epoch at a time: the newest is always said last.

    acknowledge_s : without an acknowledgement for so long, the connection is dead
    """

    def __init__(
        self, book: Book, addresses: Addresses, *, is_named: bool, acknowledge_s: float, clock: Clock, tell: Tell
    ) -> None:
        self._book = book
        self._addresses = addresses
        self._is_named = is_named
        self._acknowledge_s = acknowledge_s
        self._clock = clock
        self._tell = tell
        self._due: dict[Key, None] = {}
        self._under_way: dict[int, tuple[Message, int]] = {}
        self._window = 1
        self._next_ns = 0
        self._told: set[str] = set()

    def connected(self, window: int) -> None:
        """A broker may have forgotten what it retained: each device hears the newest again, and that we are here."""
        self._window = window
        self._under_way.clear()
        if not self._is_named:  # nobody is told, so nothing is ever due
            return
        for device in self._book.devices():
            begun = [epoch for epoch, progress in self._book.epochs(device).items() if progress.contiguous]
            self._due.update({(device, epoch): None for epoch in begun[-1:]})

    def due(self, keys: Iterable[Key]) -> None:
        """These positions have changed, or are not known to their device."""
        if self._is_named:
            self._due.update(dict.fromkeys(keys))

    def publish(self, connection: Connection, message: Message) -> None:
        """Send something that will be acknowledged."""
        number = connection.publish(message, expiry_s=message.expiry_s)
        self._under_way[number] = (message, self._clock.monotonic_ns())

    @property
    def has_window(self) -> bool:
        return len(self._under_way) < self._window

    def flush(self, connection: Connection) -> bool:
        """Send what is due, no more than may be under way; whether all is said."""
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._next_ns or not self._is_named:
            return not self._due
        self._next_ns = now_ns + round(PAUSE_S * _NS_PER_S)
        for device, epoch in list(self._due):
            if not (connection.is_open and connection.is_drained and self.has_window):
                return False
            del self._due[device, epoch]
            self._confirm(connection, device, epoch)
            newest = self._book.newest(device)
            if newest not in (None, epoch):
                self._due[device, str(newest)] = None
        return not self._due

    def settle(self, connection: Connection) -> None:
        """Read the acknowledgements; a refusal is said once."""
        for number, code in connection.acknowledged():
            message, _ = self._under_way.pop(number, (None, 0))
            if message is None or code in (SUCCESS, NO_SUBSCRIBER) or message.topic in self._told:
                continue
            if len(self._told) < 1000:
                self._told.add(message.topic)
            words = f"the broker does not let us publish to {message.topic} (reason {code}): check its access list"
            self._tell(Notice(NoticeKind.TROUBLE, words))

    def is_overdue(self) -> bool:
        oldest = next(iter(self._under_way.values()), None)
        return oldest is not None and self._clock.monotonic_ns() - oldest[1] >= self._acknowledge_s * _NS_PER_S

    def _confirm(self, connection: Connection, device: str, epoch: str) -> None:
        progress = self._book.find(device, epoch)
        if progress is None or progress.contiguous < 1:
            return
        payload = cursor_payload(epoch, progress.contiguous)
        self.publish(connection, Message(self._addresses.cursor(device), payload, qos=1, retain=True))
