"""The contract of a Sink, kept by each way out."""

from __future__ import annotations

import errno
import io
import json
import threading

import pytest

from edge.core.clock import SystemClock
from edge.core.errors import BrokerError
from edge.core.protocols import Sink
from edge.core.values import Message
from edge.report.jsonlines import JsonLinesSink
from edge.report.mqtt import MqttSink
from edge.report.topics import Topics
from edge.wire.settings import BrokerSettings
from tests.brokers import Brokers
from tests.contracts.sink import Arrived, SinkContract
from tests.fakes_report import PATIENCE_S, QUICK, FakeSink


class TestJsonLines(SinkContract):
    def setup_method(self) -> None:
        self.stream = io.StringIO()
        self.read = 0

    def make(self) -> Sink:
        return JsonLinesSink(self.stream)

    def arrived(self, count: int) -> list[Arrived]:
        lines = self.stream.getvalue().splitlines()[self.read : self.read + count]
        self.read += count
        return [_from_line(line) for line in lines]

    def test_a_plain_text_payload_stands_as_text(self) -> None:
        sink = JsonLinesSink(self.stream)

        sink.send(Message("edge/gate/status", b"online", qos=1, retain=True))

        line = json.loads(self.stream.getvalue())
        assert line == {"topic": "edge/gate/status", "qos": 1, "retain": True, "payload": "online"}

    def test_bytes_that_are_no_text_stand_as_base64(self) -> None:
        JsonLinesSink(self.stream).send(Message("edge/gate/camera/yard/snapshot/person", b"\xff\xd8\xff"))

        assert json.loads(self.stream.getvalue())["payload"] == {"base64": "/9j/"}

    def test_a_full_disk_is_one_clear_error(self) -> None:
        with pytest.raises(BrokerError, match="No space left"):
            JsonLinesSink(_FullDisk()).send(Message("edge/gate/status", b"online"))


class _FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class TestFake(SinkContract):
    def setup_method(self) -> None:
        self.sink = FakeSink()
        self.read = 0

    def make(self) -> Sink:
        return self.sink

    def arrived(self, count: int) -> list[Arrived]:
        messages = self.sink.messages[self.read : self.read + count]
        self.read += count
        return [Arrived(each.topic, each.payload.decode(), each.qos, each.retain) for each in messages]


@pytest.mark.broker
class TestMqtt(SinkContract):
    @pytest.fixture(autouse=True)
    def _broker(self, brokers: Brokers) -> None:
        self.broker = brokers.start()
        self.subscriber = brokers.subscribe(self.broker, "edge/#", "-V", "5", "--retain-as-published")

    def make(self) -> Sink:
        return _Threaded(BrokerSettings("127.0.0.1", self.broker.port))

    def arrived(self, count: int) -> list[Arrived]:
        found: list[Arrived] = []
        while len(found) < count:
            received = self.subscriber.next()
            if not received.topic.endswith("/status"):
                found.append(Arrived(received.topic, received.payload, received.qos, received.retain))
        return found


class _Threaded(MqttSink):
    """The sink with a thread for its ``run``, so that it can be used through the door alone."""

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(settings, topics=Topics("gate"), clock=SystemClock(), pace=QUICK)
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        super().open()
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: (started.set(), self.run()), daemon=True)
        self._thread.start()
        started.wait(PATIENCE_S)

    def close(self, timeout_s: float = 4.0) -> None:
        super().close(timeout_s)
        if self._thread:
            self._thread.join(PATIENCE_S)


def _from_line(line: str) -> Arrived:
    fields = json.loads(line)
    payload = json.dumps(fields["payload"], ensure_ascii=False, separators=(",", ":"))
    return Arrived(fields["topic"], payload, fields["qos"], fields["retain"])
