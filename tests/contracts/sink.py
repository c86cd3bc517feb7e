"""What every Sink promises. A test class of an implementation inherits it and says how to read what came out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from edge.core.protocols import Sink
from edge.core.values import Message


@dataclass(frozen=True)
class Arrived:
    """A message as whoever listens gets it."""

    topic: str
    payload: str
    qos: int
    retain: bool


MESSAGES = [
    Message("edge/gate/info", b'{"schema":1}', qos=1, retain=True),
    Message("edge/gate/camera/yard/event", b'{"seq":1}', qos=1),
    Message("edge/gate/camera/yard/event", b'{"seq":2}', qos=1),
    Message("edge/gate/camera/yard/event", '{"label":"Fußgänger"}'.encode(), qos=1),
]


class SinkContract(ABC):
    @abstractmethod
    def make(self) -> Sink:
        """A sink, not yet open; the same way out each time."""

    @abstractmethod
    def arrived(self, count: int) -> list[Arrived]:
        """The next messages that came out, the sink's own status messages left out."""

    def test_messages_arrive_unchanged_and_in_order(self) -> None:
        sink = self.make()
        sink.open()

        for message in MESSAGES:
            sink.send(message)

        expected = [Arrived(each.topic, each.payload.decode(), each.qos, each.retain) for each in MESSAGES]
        assert self.arrived(len(MESSAGES)) == expected
        sink.close()

    def test_what_was_sent_before_close_is_delivered(self) -> None:
        sink = self.make()
        sink.open()
        sink.send(MESSAGES[1])

        sink.close()

        assert [each.payload for each in self.arrived(1)] == ['{"seq":1}']

    def test_closing_twice_is_harmless(self) -> None:
        sink = self.make()
        sink.open()

        sink.close()
        sink.close()

    def test_it_can_be_closed_without_having_been_opened(self) -> None:
        self.make().close()

    def test_it_can_be_opened_again(self) -> None:
        sink = self.make()
        sink.open()
        sink.close()

        sink.open()
        sink.send(MESSAGES[2])

        assert [each.payload for each in self.arrived(1)] == ['{"seq":2}']
        sink.close()
