"""A hang is found soon, and a slow stream is not taken for one."""

from __future__ import annotations

from edge.capture.stream_patience import StreamPatience


def play(patience: StreamPatience, *, every_s: float, frames: int, begin_s: float = 0.0) -> None:
    patience.connected()
    for number in range(frames):
        patience.frame(round((begin_s + number * every_s) * 1e9))


def test_a_usual_stream_that_hangs_is_given_up_soon_enough_to_be_back_within_three_seconds() -> None:
    patience = StreamPatience(5.0)
    play(patience, every_s=0.04, frames=100)

    assert patience.limit_s <= 2.0


def test_a_stream_that_makes_breaks_gets_three_times_the_longest() -> None:
    patience = StreamPatience(5.0)
    play(patience, every_s=1.2, frames=5)

    assert 3.5 < patience.limit_s < 3.7


def test_a_stream_slower_than_the_limit_is_learnt_and_not_lost_for_ever() -> None:
    """A camera that takes a picture every three seconds."""
    patience, losses = StreamPatience(5.0), 0
    while patience.limit_s < 3.0:
        play(patience, every_s=0.0, frames=1)
        patience.lost()
        losses += 1

    assert losses <= 2


def test_the_time_without_a_connection_is_no_break() -> None:
    patience = StreamPatience(5.0)
    play(patience, every_s=0.04, frames=10)

    play(patience, every_s=0.04, frames=10, begin_s=3600.0)

    assert patience.limit_s <= 2.0


def test_no_limit_is_beyond_what_was_asked_for() -> None:
    patience = StreamPatience(1.0)
    play(patience, every_s=0.9, frames=5)
    patience.lost()

    assert patience.limit_s == 1.0
