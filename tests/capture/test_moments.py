from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge.capture.mishaps import Mishaps
from edge.capture.moments import DeviceTime, MediaTime
from edge.core.clock import HandClock

SECOND = 1_000_000_000


def test_media_time_starts_at_zero_wherever_the_container_does():
    media = MediaTime(rate=10.0)

    assert [media.next(ms) for ms in (1400.0, 1500.0, 1700.0)] == [0, 100_000_000, 300_000_000]


def test_without_timestamps_the_rate_counts():
    media = MediaTime(rate=25.0)

    assert [media.next(0.0) for _ in range(3)] == [0, 40_000_000, 80_000_000]


def test_after_a_step_back_time_goes_on_at_the_containers_pace():
    media = MediaTime(rate=10.0)

    assert [media.next(ms) // 1_000_000 for ms in (0, 100, 5, 55, 105)] == [0, 100, 200, 250, 300]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, min_value=None), max_size=50))
def test_media_time_only_ever_grows(positions):
    media = MediaTime(rate=30.0)

    times = [media.next(p if abs(p) < 1e12 else float("nan")) for p in positions]

    assert all(after > before for before, after in itertools.pairwise(times))


def test_a_stamp_of_our_own_clock_is_taken_as_it_is():
    clock = HandClock(monotonic_ns=100 * SECOND)
    time = DeviceTime(clock)

    moment = time.stamp(100 * SECOND - 40_000_000)

    assert moment.captured_ns == 100 * SECOND - 40_000_000
    assert (clock.utc_now() - moment.captured_at).total_seconds() == 0.04


def test_a_clock_that_also_counts_suspension_is_brought_onto_ours():
    clock = HandClock(monotonic_ns=100 * SECOND)
    time = DeviceTime(clock)
    ahead = 3600 * SECOND  # the machine slept for an hour

    first = time.stamp(ahead + 100 * SECOND - 30_000_000)
    clock.advance(0.1)
    late = time.stamp(ahead + 100 * SECOND)  # 70 ms longer under way than the first

    assert first.captured_ns == 100 * SECOND
    assert late.captured_ns == 100 * SECOND + 30_000_000


def test_frozen_stamps_are_not_believed():
    clock = HandClock(monotonic_ns=100 * SECOND)
    time = DeviceTime(clock)
    time.stamp(99 * SECOND)
    clock.advance(5)

    assert time.stamp(99 * SECOND).captured_ns == 105 * SECOND


def test_stamps_that_stand_still_or_run_backwards_are_counted():
    clock, mishaps = HandClock(monotonic_ns=100 * SECOND), Mishaps()
    time = DeviceTime(clock, mishaps)
    for stamp_s in (90, 91, 91, 80, 95):
        clock.advance(1)
        time.stamp(stamp_s * SECOND)

    assert mishaps.misdated == 2


def test_a_stamp_of_long_ago_is_not_believed():
    clock = HandClock(monotonic_ns=1000 * SECOND)

    assert DeviceTime(clock).stamp(5).captured_ns == 1000 * SECOND


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(-5, 2**62)), st.floats(0, 10)), max_size=40))
def test_device_time_only_ever_grows_and_is_never_in_the_future(frames):
    clock = HandClock(monotonic_ns=50 * SECOND)
    time = DeviceTime(clock)
    times = []
    for stamp, pause_s in frames:
        clock.advance(pause_s + 0.001)
        times.append(time.stamp(stamp).captured_ns)
        assert times[-1] <= clock.monotonic_ns()

    assert all(after > before for before, after in itertools.pairwise(times))
