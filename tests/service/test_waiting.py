"""What waits keeps each camera's order, and the cameras take turns."""

from __future__ import annotations

from collections import Counter

from edge.service.announced import Announced
from edge.service.news import CameraNews, CameraState
from edge.service.waiting import WaitingRoom
from tests.builders import make_frame

OFFLINE, ONLINE = (CameraNews("yard", state) for state in (CameraState.OFFLINE, CameraState.ONLINE))


def frame(number: int, camera: str = "yard") -> Announced:
    return Announced(number % 5, make_frame(camera=camera, sequence=number).facts)


def settled(_camera: str) -> bool:
    return True


def test_the_newest_frame_of_a_live_camera_waits_and_the_older_is_given_back() -> None:
    room = WaitingRoom(["yard"])

    assert room.put(frame(1), is_replacing=True) is None
    assert room.put(frame(2), is_replacing=True) == frame(1)

    assert (room.take_frame(), room.take_frame()) == (frame(2), None)


def test_all_frames_of_a_recording_wait() -> None:
    room = WaitingRoom(["yard"])

    for number in range(3):
        assert room.put(frame(number), is_replacing=False) is None

    assert [room.take_frame() for _ in range(3)] == [frame(0), frame(1), frame(2)]


def test_news_waits_for_the_frames_before_it_and_is_heard_before_those_after_it() -> None:
    room = WaitingRoom(["yard"])
    room.put(frame(1), is_replacing=True)
    room.tell(OFFLINE)
    room.tell(ONLINE)
    room.put(frame(2), is_replacing=False)

    assert room.take_news(settled) == []
    assert room.take_frame() == frame(1)
    assert room.take_frame() is None
    assert room.take_news(lambda _camera: False) == []
    assert room.take_news(settled) == [OFFLINE, ONLINE]
    assert room.take_frame() == frame(2)


def test_no_camera_starves_however_fast_another_one_is() -> None:
    room = WaitingRoom(["yard", "gate", "shed"])
    looked_at = Counter[str]()

    for number in range(300):
        for _ in range(5):
            room.put(frame(number, "yard"), is_replacing=True)
        room.put(frame(number, "gate"), is_replacing=True)
        room.put(frame(number, "shed"), is_replacing=True)
        taken = room.take_frame()
        assert taken is not None
        looked_at[taken.frame.camera] += 1

    assert set(looked_at.values()) == {100}


def test_a_frame_that_comes_back_is_the_next() -> None:
    room = WaitingRoom(["yard"])
    room.put(frame(2), is_replacing=False)

    room.put_back(frame(1))

    assert room.take_frame() == frame(1)


def test_news_need_not_wait_where_nobody_looks() -> None:
    room = WaitingRoom(["yard"])
    room.put(frame(1), is_replacing=True)
    room.tell(OFFLINE)
    room.put(frame(2), is_replacing=False)

    assert room.clear_for_news("yard") == [frame(1)]
    assert room.take_news(settled) == [OFFLINE]
    assert room.take_frame() == frame(2)


def test_cameras_come_and_go_and_the_others_keep_what_waits() -> None:
    room = WaitingRoom(["yard", "shed"])
    room.put(frame(1), is_replacing=True)
    room.put(frame(2, "shed"), is_replacing=True)

    room.change(["yard", "gate"])

    assert room.put(frame(3, "gate"), is_replacing=True) is None
    assert {room.take_frame(), room.take_frame()} == {frame(1), frame(3, "gate")}
    assert room.is_empty
