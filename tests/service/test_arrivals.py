from __future__ import annotations

import threading

from edge.core.values import Frame
from edge.service.arrivals import Arrivals
from edge.service.news import CameraNews, CameraState
from tests.builders import make_frame


def test_the_newest_frame_wins_and_the_dropped_one_is_counted() -> None:
    arrivals = Arrivals(("yard",))

    arrivals.put(make_frame(sequence=1))
    arrivals.put(make_frame(sequence=2))

    taken = arrivals.take(0)
    assert isinstance(taken, Frame)
    assert taken.sequence == 2
    assert arrivals.dropped["yard"] == 1


def test_nothing_waiting_gives_none_after_the_timeout() -> None:
    assert Arrivals(("yard",)).take(0) is None


def test_cameras_take_turns_so_that_a_fast_one_starves_nobody() -> None:
    arrivals = Arrivals(("fast", "slow"))
    order = []

    arrivals.put(make_frame(camera="slow", sequence=0))
    for sequence in range(4):
        arrivals.put(make_frame(camera="fast", sequence=sequence))
        taken = arrivals.take(0)
        assert isinstance(taken, Frame)
        order.append(taken.camera)

    assert order == ["fast", "slow", "fast", "fast"]


def test_a_recording_read_whole_waits_for_its_reader_and_drops_nothing() -> None:
    arrivals = Arrivals(("clip",))
    writer = threading.Thread(
        target=lambda: [arrivals.put_and_wait(make_frame(camera="clip", sequence=number)) for number in range(20)]
    )

    writer.start()
    taken = [arrivals.take(5.0) for _ in range(20)]
    writer.join(5.0)

    assert [frame.sequence for frame in taken if isinstance(frame, Frame)] == list(range(20))
    assert not arrivals.dropped


def test_closing_frees_a_writer_that_waits() -> None:
    arrivals = Arrivals(("clip",))
    arrivals.put(make_frame(camera="clip"))
    writer = threading.Thread(target=lambda: arrivals.put_and_wait(make_frame(camera="clip", sequence=1)))
    writer.start()

    arrivals.close()

    writer.join(5.0)
    assert not writer.is_alive()


def test_what_a_camera_said_before_a_frame_is_heard_before_it() -> None:
    arrivals = Arrivals(("yard",))
    first, lost, back, second = (
        make_frame(sequence=1),
        CameraNews("yard", CameraState.OFFLINE),
        CameraNews("yard", CameraState.ONLINE),
        make_frame(sequence=2),
    )

    arrivals.put_and_wait(first)
    arrivals.tell(lost)
    heard = [arrivals.take(0), arrivals.take(0)]
    arrivals.tell(back)
    arrivals.put(second)

    assert heard == [first, lost]
    assert [arrivals.take(0), arrivals.take(0)] == [back, second]


def test_a_newer_frame_passes_no_news() -> None:
    arrivals = Arrivals(("yard",))
    gone = CameraNews("yard", CameraState.OFFLINE)

    arrivals.put(make_frame(sequence=1))
    arrivals.tell(gone)
    arrivals.put(make_frame(sequence=2))

    assert arrivals.take(0) is gone
    newest = arrivals.take(0)
    assert isinstance(newest, Frame)
    assert newest.sequence == 2
