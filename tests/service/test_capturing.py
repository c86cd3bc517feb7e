"""What a camera's process writes into its slots, and what it says of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from edge.core.clock import HandClock
from edge.core.glance import Glance
from edge.core.values import Frame
from edge.service import capture_letters as letters
from edge.service.capture_letters import Announce, Grant, Tighten
from edge.service.capturing import Capturing, Regard
from edge.service.channel import Channel
from edge.service.shared_frames import SharedFrames, make_frame_memory
from tests.builders import make_frame


class Camera:
    """A camera's process without the process: also what looks at its frames."""

    def __init__(self, **options: bool) -> None:
        ours, theirs = socket.socketpair()
        self._ends = (ours, theirs)
        self._channel = Channel(ours)
        self._memory = make_frame_memory("yard")
        self._said: list[Announce] = []
        self.frames = SharedFrames(self._memory)
        self.announced_when_looked_at: list[int] = []
        regard = Regard(self, self, **options)
        self.capturing = Capturing(
            Channel(theirs),
            lambda _: None,  # type: ignore[arg-type, return-value]
            self.frames,
            camera="yard",
            clock=HandClock(),
            regard=lambda _: regard,
        )

    def close(self) -> None:
        os.close(self._memory)
        for end in self._ends:
            end.close()

    def look(self, image: np.ndarray, captured_ns: int) -> Glance:
        """Which frame it was stands in ``changed``."""
        self.announced_when_looked_at.append(len(self.said()))
        return Glance(float(image[0, 0, 0]), moved=True, asks=True)

    def pass_over(self) -> Glance:
        return Glance(0.5, moved=True, asks=True)

    def tighten(self, factor: float) -> None: ...

    def small_size(self, image: np.ndarray) -> tuple[int, int]:
        return image.shape[1] // 2, image.shape[0] // 2

    def shrink(self, image: np.ndarray, into: np.ndarray | None = None) -> np.ndarray:
        small = image[::2, ::2]
        if into is None:
            return small.copy()
        into[...] = small
        return into

    def put(self, number: int) -> Frame:
        frame = make_frame(np.full((8, 6, 3), number, np.uint8), sequence=number)
        self.capturing._obey(letters.encode(Grant(0)))
        self.capturing._put(frame)
        return frame

    def said(self) -> list[Announce]:
        """All of it so far."""
        for frame in self._channel.receive():
            letter = letters.read_by_service(frame)
            assert isinstance(letter, Announce)
            self._said.append(letter)
        return self._said


@pytest.fixture
def new_camera() -> Iterator[Callable[..., Camera]]:
    made: list[Camera] = []

    def make(**options: bool) -> Camera:
        made.append(Camera(**options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_frame_is_announced_before_anybody_looks_at_it(new_camera: Callable[..., Camera]) -> None:
    camera = new_camera()

    camera.put(1)
    camera.put(2)

    assert camera.announced_when_looked_at == [1, 2]


@pytest.mark.parametrize(("is_gated", "expected"), [(False, [None, 1.0]), (True, [1.0, 2.0])])
def test_a_gate_decides_by_the_frame_itself_and_else_the_look_is_told_with_the_next(
    new_camera: Callable[..., Camera], is_gated: bool, expected: list[float | None]
) -> None:
    camera = new_camera(has_gate=is_gated)

    camera.put(1)
    camera.put(2)

    assert [each.glance and each.glance.changed for each in camera.said()] == expected


def test_where_nobody_watches_no_picture_is_looked_at(new_camera: Callable[..., Camera]) -> None:
    camera = new_camera(is_watched=False)

    camera.put(1)
    camera.put(2)

    assert camera.announced_when_looked_at == []
    assert [each.glance and each.glance.changed for each in camera.said()] == [None, 0.5]


def test_who_is_told_to_be_stricter_decides_by_the_frame_itself_too(new_camera: Callable[..., Camera]) -> None:
    camera = new_camera()
    camera.capturing._obey(letters.encode(Tighten(2.0)))

    camera.put(1)

    assert camera.announced_when_looked_at == [0]


@pytest.mark.parametrize("keeps", [True, False])
def test_the_whole_picture_is_there_for_those_who_need_it(new_camera: Callable[..., Camera], keeps: bool) -> None:
    camera = new_camera(keeps_pictures=keeps)

    frame = camera.put(7)

    (said,) = camera.said()
    assert (said.has_picture, said.small) == (keeps, (3, 4))
    assert np.array_equal(camera.frames.small(0, frame.facts, (3, 4)), frame.image[::2, ::2])
    assert np.array_equal(camera.frames.image(0, frame.facts), frame.image if keeps else 0 * frame.image)
