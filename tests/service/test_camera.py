from __future__ import annotations

import queue

import pytest

from edge.core.errors import RecordingError, SourceError
from edge.service.camera import CameraWorker
from edge.service.news import CameraNews, CameraState
from tests.fakes import FakeSource, frames_of


def run_to_the_end(source: FakeSource) -> tuple[list[int], list[CameraNews]]:
    """Run a worker until its source ends; what it put and what it told."""
    put: list[int] = []
    news: list[CameraNews] = []
    worker = CameraWorker("yard", source, put=lambda frame: put.append(frame.sequence), tell=news.append)
    worker.start()
    assert worker.join(20.0)
    return put, news


def test_a_recording_goes_online_and_ends() -> None:
    put, news = run_to_the_end(FakeSource([*frames_of(3), None]))

    assert put == [0, 1, 2]
    assert [change.state for change in news] == [CameraState.ONLINE, CameraState.ENDED]


def test_a_camera_absent_at_start_is_tried_again_until_it_is_there() -> None:
    source = FakeSource([*frames_of(2), None], open_errors=[SourceError("no camera 0; plug it in")])

    put, news = run_to_the_end(source)

    assert put == [0, 1]
    assert [change.state for change in news] == [CameraState.OFFLINE, CameraState.ONLINE, CameraState.ENDED]
    assert "no camera 0" in str(news[0].error)


def test_a_camera_lost_while_reading_is_closed_and_opened_again() -> None:
    first, second = frames_of(2)
    source = FakeSource([first, SourceError("unplugged"), second, None])

    put, news = run_to_the_end(source)

    assert put == [0, 1]
    assert source.opened == source.closed == 2
    assert [change.state for change in news] == [
        CameraState.ONLINE,
        CameraState.OFFLINE,
        CameraState.ONLINE,
        CameraState.ENDED,
    ]


def test_an_unreadable_recording_is_not_tried_again() -> None:
    source = FakeSource([], open_errors=[RecordingError("clip.mp4: not a video")])

    _, news = run_to_the_end(source)

    assert source.opened == 1
    assert [change.state for change in news] == [CameraState.FAILED]


def test_a_fault_nobody_foresaw_does_not_silence_the_camera(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(FakeSource):
        def read(self):  # type: ignore[no-untyped-def]
            if self.opened == 1:
                raise ZeroDivisionError("inside a foreign library")
            return super().read()

    put, news = run_to_the_end(Faulty([*frames_of(1), None]))

    assert put == [0]
    assert news[0].state is CameraState.OFFLINE
    assert "unexpected fault" in caplog.text


def test_stopping_ends_a_worker_that_waits_for_its_camera() -> None:
    told: queue.SimpleQueue[CameraNews] = queue.SimpleQueue()
    source = FakeSource([], open_errors=[SourceError("away")] * 1000)
    worker = CameraWorker("yard", source, put=lambda _frame: None, tell=told.put)
    worker.start()
    told.get(timeout=10.0)

    worker.ask_to_stop()

    assert worker.join(5.0)
