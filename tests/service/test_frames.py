from __future__ import annotations

import threading

from edge.service.frames import NewestFrames
from tests.builders import make_frame


def test_the_newest_frame_wins_and_the_dropped_one_is_counted() -> None:
    frames = NewestFrames(("yard",))

    frames.put(make_frame(sequence=1))
    frames.put(make_frame(sequence=2))

    taken = frames.take(0)
    assert taken is not None
    assert taken.sequence == 2
    assert frames.dropped["yard"] == 1


def test_nothing_waiting_gives_none_after_the_timeout() -> None:
    assert NewestFrames(("yard",)).take(0) is None


def test_cameras_take_turns_so_that_a_fast_one_starves_nobody() -> None:
    frames = NewestFrames(("fast", "slow"))
    order = []

    frames.put(make_frame(camera="slow", sequence=0))
    for sequence in range(4):
        frames.put(make_frame(camera="fast", sequence=sequence))
        taken = frames.take(0)
        assert taken is not None
        order.append(taken.camera)

    assert order == ["fast", "slow", "fast", "fast"]


def test_a_recording_read_whole_waits_for_its_reader_and_drops_nothing() -> None:
    frames = NewestFrames(("clip",))
    writer = threading.Thread(
        target=lambda: [frames.put_and_wait(make_frame(camera="clip", sequence=number)) for number in range(20)]
    )

    writer.start()
    taken = [frames.take(5.0) for _ in range(20)]
    writer.join(5.0)

    assert [frame.sequence for frame in taken if frame] == list(range(20))
    assert not frames.dropped


def test_closing_frees_a_writer_that_waits() -> None:
    frames = NewestFrames(("clip",))
    frames.put(make_frame(camera="clip"))
    writer = threading.Thread(target=lambda: frames.put_and_wait(make_frame(camera="clip", sequence=1)))
    writer.start()

    frames.close()

    writer.join(5.0)
    assert not writer.is_alive()
