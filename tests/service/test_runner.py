from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from edge.core.clock import HandClock, SystemClock
from edge.core.errors import ModelError, RecordingError, SourceError
from edge.core.events import Event, Occurrence, Standing
from edge.core.events import EventType as Type
from edge.core.protocols import Clock
from edge.core.values import Box, Detections, Frame, Message, Sighting, Track
from edge.service.identity import Identities
from edge.service.news import CameraNews, CameraState
from edge.service.parts import Parts
from edge.service.pipeline import Pipeline, Telling
from edge.service.reading import Reading, Reports
from edge.service.runner import Service
from edge.service.systemd import Notifier
from tests.fakes import FakeOutlet, FakeSight, frames_of, seen_in

AT = datetime(2026, 1, 1, tzinfo=UTC)
TRACK = Track(1, 0, "person", 0.9, 0.9, Box(0, 0, 10, 20), 0, 0)


class Everything:
    def select(self, detections: Detections, frame: Frame) -> Detections:
        return detections

    def confident(self, detections: Detections) -> Detections:
        return detections


class NoTracks:
    def update(self, detections: object, captured_ns: int) -> tuple[Track, ...]:
        return ()

    def forget(self) -> None:
        pass


class OneTrackPerRecording:
    """Starts a track at the first frame, ends it when asked to finish."""

    def __init__(self) -> None:
        self._open = False

    def update(self, tracks: tuple[Track, ...], frame: Frame) -> list[Occurrence]:
        if self._open:
            return []
        self._open = True
        return [Occurrence(Type.TRACK_START, frame.captured_ns, AT, frame.sequence, TRACK)]

    def impair(self, *, is_impaired: bool) -> None:
        pass

    def finish(self) -> list[Occurrence]:
        was_open, self._open = self._open, False
        return [Occurrence(Type.TRACK_END, 0, AT, 0, TRACK)] if was_open else []

    def changes(self) -> list[Standing]:
        return []


def event_line(event: Event) -> Message:
    text = f"{event.id.seq} {event.camera} {event.occurrence.type}"
    return Message("event", text.encode(), qos=1)


def make_service(
    sight: FakeSight,
    *,
    cameras: tuple[str, ...] = ("yard",),
    notifier: Notifier | None = None,
    clock: Clock | None = None,
    health: Callable[[Reading], str] = lambda reading: str(reading.frames),
    detections: Callable[[Sighting], Message] | None = None,
) -> tuple[Service, FakeOutlet]:
    clock = clock or SystemClock()
    outlet = FakeOutlet()
    identities = Identities("gate", "EPOCH")
    pipelines = {
        camera: Pipeline(
            camera=camera,
            wanted=Everything(),
            tracker=NoTracks(),
            rules=OneTrackPerRecording(),
            telling=Telling(
                event_line,
                lambda standing: Message("standing", str(standing).encode(), retain=True),
                detections,
            ),
            identities=identities,
            clock=clock,
        )
        for camera in cameras
    }
    reports = Reports(
        camera=lambda camera, state: Message(f"status/{camera}", state.encode(), 1, retain=True),
        health=lambda reading: Message("health", health(reading).encode(), retain=True),
    )
    parts = Parts(pipelines, reports)
    service = Service(parts, sight=sight, outlet=outlet, notifier=notifier or Notifier(""), clock=clock)
    return service, outlet


def sightings(count: int, *, camera: str = "yard") -> list[Sighting]:
    return [seen_in(frame) for frame in frames_of(count, camera=camera)]


def online(camera: str = "yard") -> CameraNews:
    return CameraNews(camera, CameraState.ONLINE)


def ended(camera: str = "yard") -> CameraNews:
    return CameraNews(camera, CameraState.ENDED)


def said(outlet: FakeOutlet, topic: str) -> list[str]:
    return [message.payload.decode() for message in outlet.messages if message.topic == topic]


@pytest.mark.parametrize("is_told", [True, False])
def test_the_way_out_is_roused_ahead_of_a_frame_that_is_told_in_any_case(is_told: bool) -> None:
    told = Message("detections", b"")
    service, outlet = make_service(
        FakeSight([online(), *sightings(3), ended()]), detections=(lambda _: told) if is_told else None
    )

    service.run()

    assert outlet.roused == (3 if is_told else 0)


def test_a_run_ends_when_its_recordings_end_and_has_told_every_frame() -> None:
    service, outlet = make_service(FakeSight([online(), *sightings(25), ended()]))

    outcome = service.run()

    assert outcome.frames == 25
    assert outcome.cameras == {"yard": CameraState.ENDED}
    assert said(outlet, "event") == ["1 yard track_start", "2 yard track_end"]
    assert said(outlet, "status/yard") == ["online", "ended"]
    assert said(outlet, "health")[-1] == "25"


def test_one_broken_camera_does_not_hold_up_the_other() -> None:
    broken = CameraNews("broken", CameraState.FAILED, RecordingError("clip.mp4: not a video"))
    sight = FakeSight([broken, online(), *sightings(5), ended()])
    service, _ = make_service(sight, cameras=("broken", "yard"))

    outcome = service.run()

    assert outcome.frames == 5
    assert outcome.cameras == {"broken": CameraState.FAILED, "yard": CameraState.ENDED}
    assert "not a video" in str(outcome.errors["broken"])


def test_a_camera_that_comes_back_is_told_as_events_and_ends_the_tracks_before() -> None:
    first, second = sightings(2)
    unplugged = CameraNews("yard", CameraState.OFFLINE, SourceError("unplugged"))
    service, outlet = make_service(FakeSight([online(), first, unplugged, online(), second, ended()]))

    service.run()

    assert said(outlet, "event") == [
        "1 yard track_start",
        "2 yard track_end",
        "3 yard camera_offline",
        "4 yard camera_online",
        "5 yard track_start",
        "6 yard track_end",
    ]


def test_health_follows_a_change_of_a_camera_within_moments_not_half_a_minute_later() -> None:
    clock = HandClock()
    unplugged = CameraNews("yard", CameraState.OFFLINE, SourceError("unplugged"))
    later = [partial(clock.advance, 0.5)] * 5
    service, outlet = make_service(
        FakeSight([online(), *later, unplugged, online(), *later, ended()]),
        health=lambda reading: ",".join(reading.cameras.values()),
        clock=clock,
    )

    service.run()

    assert said(outlet, "health") == ["online", "online", "ended"]


def test_a_duration_ends_a_run_whose_camera_never_came() -> None:
    away = CameraNews("yard", CameraState.OFFLINE, SourceError("away"))
    service, _ = make_service(FakeSight([away]))

    outcome = service.run(duration_s=0.05)

    assert outcome.frames == 0
    assert outcome.cameras == {"yard": CameraState.OFFLINE}


def test_a_stop_from_outside_ends_the_run_and_its_open_tracks() -> None:
    sight = FakeSight([])
    service, outlet = make_service(sight)
    sight.play([online(), *sightings(1), service.stop])

    outcome = service.run()

    assert outcome.cameras["yard"] is CameraState.ONLINE
    assert said(outlet, "event") == ["1 yard track_start", "2 yard track_end"]
    assert said(outlet, "status/yard")[-1] == "offline"
    assert sight.calls == ["open", "stop", "close"]


def test_what_is_under_way_when_a_stop_comes_is_told() -> None:
    sight = FakeSight([])
    service, _ = make_service(sight)
    sight.play([online(), service.stop, *sightings(3)])

    outcome = service.run()

    assert outcome.frames == 3


def test_a_model_that_can_not_run_ends_the_run_before_anything_is_told() -> None:
    sight = FakeSight([], error=ModelError("m.tflite: the model can't be loaded"))
    service, outlet = make_service(sight)

    with pytest.raises(ModelError):
        service.run()

    assert (outlet.messages, sight.calls) == ([], ["open", "close"])


def test_the_watchdog_hears_of_progress_however_seldom_health_is_told(tmp_path: Path) -> None:
    clock = HandClock()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5.0)
        a_second = partial(clock.advance, 1.0)
        service, _ = make_service(
            FakeSight([online(), *[a_second] * 12, ended()]),
            notifier=Notifier(str(tmp_path / "notify"), environment={"WATCHDOG_USEC": "6000000"}),
            clock=clock,
        )

        service.run()

        told = list(iter(lambda: listener.recv(1024), b"STOPPING=1"))
    assert told.count(b"WATCHDOG=1") >= 6


def test_a_model_that_takes_long_to_start_gets_more_time_of_systemd_and_then_the_watchdog_its_pings(
    tmp_path: Path,
) -> None:
    """Two tries of 30 s and another model's start are more than the 90 s of a unit."""
    clock = HandClock()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5.0)
        sight = SlowStart([*[partial(clock.advance, 5.0)] * 20, online(), ended()])
        service, _ = make_service(sight, notifier=Notifier(str(tmp_path / "notify"), environment={}), clock=clock)

        service.run()

        told = list(iter(lambda: listener.recv(1024), b"STOPPING=1"))
    ready = next(place for place, word in enumerate(told) if word.startswith(b"READY=1"))
    assert told[:ready].count(b"EXTEND_TIMEOUT_USEC=60000000") >= 6
    assert told[ready + 1] == b"WATCHDOG=1"


class SlowStart(FakeSight):
    """Its model runs when twenty steps were played."""

    turns = 0

    @property
    def is_ready(self) -> bool:
        self.turns += 1
        return self.turns > 20
