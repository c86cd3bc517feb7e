from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.service.leases import SLOTS
from edge.service.shared_frames import SharedFrames, make_frame_memory
from tests.builders import make_frame

sizes = st.tuples(st.integers(1, 70), st.integers(1, 50))


@pytest.fixture
def memory() -> Iterator[int]:
    descriptor = make_frame_memory("yard")
    yield descriptor
    os.close(descriptor)


def picture(size: tuple[int, int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=sizes, small=sizes, slot=st.integers(0, SLOTS - 1))
def test_what_one_side_writes_the_other_side_reads(
    memory: int, size: tuple[int, int], small: tuple[int, int], slot: int
) -> None:
    writer, reader = SharedFrames(memory), SharedFrames(memory)
    image, little = picture(size, 1), picture(small, 2)
    facts = make_frame(size=size).facts

    writer.write(slot, image)
    room = writer.room_for_small(slot, facts, small)
    assert room is not None
    room[...] = little

    assert np.array_equal(reader.image(slot, facts), image)
    assert np.array_equal(reader.small(slot, facts, small), little)


def test_slots_do_not_touch_each_other(memory: int) -> None:
    frames = SharedFrames(memory)
    facts = make_frame(size=(64, 48)).facts

    for slot in range(SLOTS):
        frames.write(slot, picture((64, 48), slot))

    for slot in range(SLOTS):
        assert np.array_equal(frames.image(slot, facts), picture((64, 48), slot))


def test_a_picture_that_is_too_large_is_refused_and_touches_nothing(memory: int) -> None:
    frames = SharedFrames(memory)
    one_row = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (20_000, 20_000, 3))

    with pytest.raises(ValueError, match="20000x20000"):
        frames.write(0, one_row)


def test_memory_that_was_never_written_costs_nothing(memory: int) -> None:
    SharedFrames(memory).write(0, picture((640, 480), 0))

    used = os.fstat(memory).st_blocks * 512

    assert 640 * 480 * 3 <= used < 2 * 640 * 480 * 3


def test_a_small_picture_costs_no_more_than_itself(memory: int) -> None:
    frames, facts = SharedFrames(memory), make_frame(size=(1920, 1080)).facts

    room = frames.room_for_small(0, facts, (64, 48))
    assert room is not None
    room[...] = picture((64, 48), 1)

    assert os.fstat(memory).st_blocks * 512 < 64 * 1024


def test_nobody_can_make_the_memory_smaller_under_the_others(memory: int) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(memory, 0)
