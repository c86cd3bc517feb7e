"""Fakes and builders for the way out."""

from __future__ import annotations

import logging
import queue
import threading

from edge.core.clock import SystemClock
from edge.core.events import Event, EventId, EventTime, EventType, LineCrossing, Occurrence, Reason, RuleHit, Severity
from edge.core.protocols import Clock
from edge.core.values import Box, FrameSize, Message, ModelRef, StageTimes, Track
from edge.report.listening import Listening
from edge.report.mqtt import MqttSink
from edge.report.topics import Topics
from edge.wire.settings import BrokerSettings, Pace
from tests.builders import START

PATIENCE_S = 15.0
QUICK = Pace(backoff_first_s=0.05, backoff_longest_s=0.2, refused_s=60.0, connect_s=2.0, acknowledge_s=5.0)


class FakeSink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def open(self) -> None:
        """Nothing to get ready."""

    def send(self, message: Message) -> None:
        self.messages.append(message)

    def close(self) -> None:
        """Nothing to let go."""


class Running:
    """An MqttSink with its thread, as the service runs it."""

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        device: str = "gate",
        pace: Pace = QUICK,
        clock: Clock | None = None,
        listening: Listening | None = None,
    ) -> None:
        self.topics = Topics(device)
        self.sink = MqttSink(settings, topics=self.topics, clock=clock or SystemClock(), pace=pace, listening=listening)
        self.thread = threading.Thread(target=self.sink.run, daemon=True)

    def start(self) -> Running:
        self.sink.open()
        self.thread.start()
        return self

    def stop(self, timeout_s: float = 4.0) -> None:
        self.sink.close(timeout_s)
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive(), "run() did not return after close()"


class Diary(logging.Handler):
    """What the report room logs, waited for by a test."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seen: list[str] = []
        self._queue: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage())
        self._queue.put(record.getMessage())

    def wait_for(self, part: str) -> str:
        while True:
            try:
                words = self._queue.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"{part!r} was not logged in time; logged: {self.seen}") from None
            if part in words:
                return words


def make_track(**changes: object) -> Track:
    values = {
        "track_id": 42,
        "class_id": 0,
        "label": "person",
        "score": 0.83,
        "top_score": 0.91,
        "box": Box(262.4, 105.6, 352.0, 340.8),
        "first_seen_ns": 1_000_000_000,
        "last_seen_ns": 2_840_000_000,
        "frames": 17,
    }
    return Track(**{**values, **changes})  # type: ignore[arg-type]


def make_event(*, seq: int = 1, track: Track | None = None, frame: FrameSize | None = None, **changes: object) -> Event:
    """A full event by default: a person entered a zone, by a rule."""
    occurrence = {
        "type": EventType.ZONE_ENTER,
        "happened_ns": 2_840_000_000,
        "happened_at": START,
        "frame_sequence": 901,
        "track": track or make_track(),
        "zones": ("drive",),
        "line": LineCrossing("gate-line", "in"),
        "rule": RuleHit(
            "person-in-drive",
            Severity.ALERT,
            (Reason("score", 0.83, 0.6), Reason("dwell_ms", 1500.0, 1000.0)),
        ),
    }
    return Event(
        EventId("gate", "01JC", seq),
        "yard",
        Occurrence(**{**occurrence, **changes}),  # type: ignore[arg-type]
        EventTime(1_763_690_000_000, 8_123_456, "b00t", True, 20),
        frame or FrameSize(901, 640, 480),
        ModelRef("ssd-mobilenet-v1", "ab" * 32),
        latency=StageTimes(4.2, 0.6, 31.0, 1.1),
    )


def bare_event(**changes: object) -> Event:
    """An event of the camera itself: nothing tracked, no frame, no model."""
    occurrence = Occurrence(EventType.CAMERA_OFFLINE, 5_000_000_000, START, 12, **changes)  # type: ignore[arg-type]
    return Event(EventId("gate", "01JC", 2), "yard", occurrence, EventTime(1, 2, "b00t", False))


def text_event(topics: Topics, text: str) -> Message:
    """A message of the event lane that is easy to recognise."""
    return Message(topics.event("yard"), text.encode(), qos=1)
