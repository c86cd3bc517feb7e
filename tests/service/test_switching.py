"""A camera that is switched off is closed, looked at no more, and comes back when it is switched on."""

from __future__ import annotations

import queue
import threading

from edge.core.values import Frame
from edge.service.camera import CameraWorker
from edge.service.news import CameraNews, CameraState
from tests.builders import make_frame
from tests.fakes import FakeSource

PATIENCE_S = 20.0


class Endless(FakeSource):
    """Frames for ever, as fast as they are taken."""

    def __init__(self) -> None:
        super().__init__([])
        self.is_open = False

    def open(self) -> None:
        super().open()
        self.is_open = True

    def read(self) -> Frame | None:
        assert self.is_open
        return make_frame(sequence=0)

    def close(self) -> None:
        super().close()
        self.is_open = False


class Camera:
    def __init__(self, source: FakeSource, *, is_enabled: bool = True) -> None:
        self.source = source
        self.news: queue.Queue[CameraNews] = queue.Queue()
        self._room = threading.Semaphore(0)
        self.worker = CameraWorker(
            "yard",
            source,
            put=lambda _: self._room.acquire(timeout=0.01) and None,
            tell=self.news.put,
            is_enabled=is_enabled,
        )
        self.worker.start()

    def next(self) -> CameraState:
        return self.news.get(timeout=PATIENCE_S).state

    def stop(self) -> None:
        self.worker.ask_to_stop()
        assert self.worker.join(PATIENCE_S)


def test_switched_off_its_source_is_closed_and_switched_on_opened_again() -> None:
    source = Endless()
    camera = Camera(source)
    assert camera.next() is CameraState.ONLINE

    camera.worker.disable()
    told = camera.next()
    was_open = source.is_open
    camera.worker.enable()

    assert (told, was_open) == (CameraState.DISABLED, False)
    assert camera.next() is CameraState.ONLINE
    assert source.opened == 2
    camera.stop()


def test_one_that_begins_switched_off_opens_nothing() -> None:
    source = Endless()
    camera = Camera(source, is_enabled=False)

    assert camera.next() is CameraState.DISABLED
    assert source.opened == 0
    camera.stop()


def test_a_recording_that_had_ended_begins_anew() -> None:
    source = FakeSource([make_frame(sequence=0), None, make_frame(sequence=0), None])
    camera = Camera(source)
    assert [camera.next(), camera.next()] == [CameraState.ONLINE, CameraState.ENDED]
    assert camera.worker.join(PATIENCE_S)

    camera.worker.disable()
    assert camera.next() is CameraState.DISABLED
    camera.worker.enable()

    assert [camera.next(), camera.next()] == [CameraState.ONLINE, CameraState.ENDED]
    camera.stop()


def test_a_stop_ends_one_that_is_switched_off() -> None:
    camera = Camera(Endless(), is_enabled=False)
    camera.next()

    camera.stop()
