"""Pictures of what is told: when, of whom, for how long."""

from __future__ import annotations

from edge.core.clock import HandClock
from edge.core.events import EventType, Occurrence, RuleHit, Severity
from edge.core.values import Box, FrameFacts, Message, Track
from edge.service.infer_letters import Pictured
from edge.service.snapshots import Portrayal, Snapshots

BODY = Box(10.0, 20.0, 50.0, 120.0)


class Studio:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, tuple[tuple[float, ...], ...]]] = []
        self.ready: list[Pictured] = []
        self.is_there = True

    def photograph(self, camera: str, sequence: int, hidden: tuple[tuple[float, ...], ...]) -> bool:
        if self.is_there:
            self.asked.append((camera, sequence, hidden))
        return self.is_there

    def take_pictured(self) -> Pictured | None:
        return self.ready.pop(0) if self.ready else None


class Room:
    """One camera, and what is said of it."""

    def __init__(self, retain_hours: float = 24.0) -> None:
        self.studio, self.clock = Studio(), HandClock()
        portrayal = Portrayal(frozenset({"person"}), retain_hours, ("person", "car"))
        self.snapshots = Snapshots({"yard": portrayal}, self.studio, lambda c, label: f"{c}/{label}", self.clock)
        self.sequence = 0

    def tell(self, kind: EventType, *tracks: Track, rule: bool = False, camera: str = "yard") -> None:
        """That something happened to the first track."""
        self.sequence += 1
        facts = FrameFacts(camera, self.sequence, self.clock.monotonic_ns(), self.clock.utc_now(), 640, 480)
        hit = RuleHit("r", Severity.ALERT, ()) if rule else None
        about = Occurrence(kind, 0, self.clock.utc_now(), self.sequence, tracks[0], rule=hit)
        there = () if kind is EventType.TRACK_END else tracks
        self.snapshots.witness([about], there, facts)

    def come(self, jpeg: bytes = b"jpeg") -> list[Message]:
        """The answer to the newest question."""
        camera, sequence, _ = self.studio.asked[-1]
        self.studio.ready.append(Pictured(camera, sequence, jpeg))
        return self.snapshots.due()


def person(number: int = 1) -> Track:
    return Track(number, 0, "person", 0.9, 0.9, BODY, 0, 0)


def car() -> Track:
    return Track(9, 2, "car", 0.9, 0.9, Box(200.0, 200.0, 400.0, 300.0), 0, 0)


def test_one_who_comes_is_portrayed_under_its_label() -> None:
    room = Room()

    room.tell(EventType.TRACK_START, person())

    assert room.come() == [Message("yard/person", b"jpeg", qos=0, retain=True, expiry_s=86_400)]
    assert room.snapshots.due() == []


def test_everybody_who_must_not_be_recognised_is_hidden_whoever_the_picture_is_of() -> None:
    room = Room()

    room.tell(EventType.TRACK_START, car(), person(1), person(2))

    (_, sequence, hidden), box = room.studio.asked[0], (10.0, 20.0, 50.0, 120.0)
    assert (sequence, hidden) == (1, (box, box))


def test_an_alert_makes_a_picture_and_what_is_no_news_does_not() -> None:
    room = Room()

    room.tell(EventType.ZONE_ENTER, person())
    room.tell(EventType.TRACK_END, person(), rule=True)
    assert room.studio.asked == []

    room.tell(EventType.DWELL, person(), rule=True)
    assert len(room.studio.asked) == 1


def test_cameras_that_publish_nothing_are_never_asked_for() -> None:
    room = Room()

    room.tell(EventType.TRACK_START, person(), camera="bedroom")

    assert room.studio.asked == []


def test_a_label_has_one_picture_a_second_at_most() -> None:
    room = Room()
    room.tell(EventType.TRACK_START, person())
    room.come()
    room.tell(EventType.TRACK_START, person(2))
    assert len(room.studio.asked) == 1

    room.clock.advance(1.0)
    room.tell(EventType.TRACK_START, person(3))

    assert len(room.studio.asked) == 2


def test_while_an_answer_is_awaited_nothing_more_is_asked_and_a_lost_one_is_given_up() -> None:
    room = Room()
    room.tell(EventType.TRACK_START, person())
    room.tell(EventType.TRACK_START, car())
    assert len(room.studio.asked) == 1

    room.clock.advance(2.0)
    room.tell(EventType.TRACK_START, car())
    room.studio.ready.append(Pictured("yard", 1, b"too late"))

    assert room.snapshots.due() == []
    assert [message.topic for message in room.come()] == ["yard/car"]


def test_a_process_that_is_being_started_is_asked_again_with_the_next_reason() -> None:
    room = Room()
    room.studio.is_there = False
    room.tell(EventType.TRACK_START, person())
    room.studio.is_there = True

    room.tell(EventType.TRACK_START, person(2))

    assert len(room.studio.asked) == 1


def test_a_frame_that_was_gone_gives_no_picture_and_the_next_reason_asks_again() -> None:
    room = Room()
    room.tell(EventType.TRACK_START, person())

    assert room.come(b"") == []

    room.tell(EventType.TRACK_START, person(2))
    assert len(room.come()) == 1


def test_a_picture_is_taken_back_when_its_time_is_up_counted_from_the_newest() -> None:
    room = Room(retain_hours=2.0)
    room.tell(EventType.TRACK_START, person())
    room.come()
    room.clock.advance(3600.0)
    room.tell(EventType.TRACK_START, person(2))
    room.come()

    room.clock.advance(7199.0)
    assert room.snapshots.due() == []
    room.clock.advance(1.0)

    assert room.snapshots.due() == [Message("yard/person", b"", qos=0, retain=True)]
    assert room.snapshots.due() == []


def test_with_no_time_at_all_a_picture_is_passed_on_and_not_kept() -> None:
    room = Room(retain_hours=0.0)
    room.tell(EventType.TRACK_START, person())

    assert room.come() == [Message("yard/person", b"jpeg", qos=0, retain=False)]


def test_a_start_clears_the_pictures_of_the_run_before() -> None:
    room = Room()

    assert room.snapshots.open() == [
        Message("yard/person", b"", qos=0, retain=True),
        Message("yard/car", b"", qos=0, retain=True),
    ]
