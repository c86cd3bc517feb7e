"""Messages under way: handed over, not yet acknowledged."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.values import Message
from edge.report.parcels import Parcel


@dataclass(frozen=True, slots=True)
class Sent:
    message: Message
    sent_ns: int


class InFlight:
    """QoS 1 messages by the number their acknowledgement will carry, oldest first."""

    def __init__(self) -> None:
        self._sent: dict[int, Sent] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def add(self, number: int, message: Message, now_ns: int) -> None:
        self._sent[number] = Sent(message, now_ns)

    def take(self, number: int) -> Message | None:
        """The message of an acknowledgement; None for one of QoS 0, which has no place here."""
        sent = self._sent.pop(number, None)
        return None if sent is None else sent.message

    def oldest_ns(self) -> int | None:
        """When the oldest was handed over."""
        return next((sent.sent_ns for sent in self._sent.values()), None)

    def messages(self) -> list[Message]:
        return [sent.message for sent in self._sent.values()]

    def events(self) -> list[Message]:
        """What has to be sent again by the next connection; state is on the board, and the outbox keeps its own."""
        unsettled = [sent.message for sent in self._sent.values()]
        return [message for message in unsettled if not message.retain and not isinstance(message, Parcel)]

    def parcels(self) -> list[Parcel]:
        """What the outbox keeps."""
        return [sent.message for sent in self._sent.values() if isinstance(sent.message, Parcel)]
