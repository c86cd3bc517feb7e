"""What a subscriber hears when a camera fails. The long runs are ``tools/faults/cameras.py`` and ``unplugging.py``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import has_mosquitto
from tests.rooms import Room
from tools.faults.cameras import Fault, faults_of, forget, measure
from tools.faults.heard import Running, running
from tools.faults.mjpeg_camera import MjpegCamera
from tools.faults.unplugging import hang, unplug

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def camera(room: Room) -> Iterator[MjpegCamera]:
    camera = MjpegCamera(room.seen)
    camera.plug_in()
    yield camera
    camera.unplug()


@pytest.fixture
def run(camera: MjpegCamera, tmp_path: Path) -> Iterator[Running]:
    assert has_mosquitto(), "install mosquitto and mosquitto-clients"
    yard = {"source": camera.url, "publish_detections": True, "picture_check": {"frozen_seconds": 2.5}}
    with running(tmp_path, {"yard": yard}, health={"interval_seconds": 1}) as run:
        run.detections("yard", since_s=0.0)
        yield run


def next_event(run: Running, kind: str, since_s: float) -> dict[str, Any]:
    found = run.first(lambda word: word.topic.endswith("/event") and word.json()["type"] == kind, since_s=since_s)
    return found.json()


@pytest.mark.broker
def test_a_camera_that_is_unplugged_is_told_offline_and_back_again(run: Running, camera: MjpegCamera) -> None:
    for _ in range(2):
        begun_s = time.time()
        measure(run, Fault("unplugged", "offline", camera.unplug, camera.plug_in))
        next_event(run, "camera_online", begun_s)

    assert len(run.events("camera_offline")) == len(run.events("camera_online")) == 2


@pytest.mark.broker
def test_a_connection_that_hangs_is_given_up_and_made_anew(run: Running, camera: MjpegCamera) -> None:
    begun_s = time.time()

    forget(run, camera)  # which ends when there are detections again

    assert next_event(run, "camera_offline", begun_s)["reason"] == "hung"


@pytest.mark.broker
@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("frozen picture", "camera_frozen", "frozen"),
        ("black", "camera_impaired", "black"),
        ("over-exposed", "camera_impaired", "overexposed"),
        ("corrupt pictures", "camera_offline", "lost"),  # FFmpeg takes it for the end of the stream
    ],
)
def test_what_a_camera_shows_is_told_with_its_reason_and_healed(
    run: Running, camera: MjpegCamera, room: Room, name: str, kind: str, reason: str | None
) -> None:
    """Those faults that need no minute of learning."""
    fault = next(each for each in faults_of(camera, room) if each.name == name)
    begun_s = time.time()

    measure(run, fault, rest_s=2.5)

    assert next_event(run, kind, begun_s).get("reason") == reason
    next_event(run, "camera_online", begun_s)
    healed_s = time.time() + 2.0
    health = run.first(lambda word: word.topic.endswith("/health"), since_s=healed_s)
    assert (health.json()["cameras"][0]["state"], health.json()["reasons"]) == ("online", [])
    told = {reason for word in run.words if word.topic.endswith("/health") for reason in word.json()["reasons"]}
    assert f"camera_{reason or 'offline'}" in told


def test_unplugging_leaves_nothing_behind() -> None:
    first, *_, last = unplug(12, 4)

    assert (last.descriptors, last.threads) == (first.descriptors, first.threads)
    assert (last.camera_descriptors, last.camera_threads) == (first.camera_descriptors, first.camera_threads)
    assert last.shared_kb <= 5 * 320 * 240 * 3 / 1024 + 64, "five slots"
    assert last.camera_memory_kb - first.camera_memory_kb < 500


def test_a_camera_whose_read_hangs_is_told_and_comes_back() -> None:
    told, seen = hang(1)

    assert 1.0 < told[0] < seen[0]
