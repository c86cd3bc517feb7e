from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.client.progress import MOST_RANGES, Progress, Verdict


def test_the_cursor_stands_before_the_first_that_is_missing() -> None:
    progress = Progress()

    for seq in (1, 2, 4, 7):
        progress.take(seq)

    assert progress.contiguous == 2
    assert progress.missing == [(3, 3), (5, 6)]


def test_what_is_lost_is_passed_over() -> None:
    progress = Progress(taken=[(1, 2), (4, 4)], heard=4)

    assert progress.lose(3, 3) == [(3, 3)]
    assert progress.contiguous == 4


def test_a_loss_that_is_told_twice_is_news_once() -> None:
    progress = Progress(taken=[(1, 2)], heard=2)

    assert progress.lose(3, 5) == [(3, 5)]
    assert progress.lose(2, 6) == [(6, 6)]


def test_a_late_event_that_was_given_up_is_still_new() -> None:
    progress = Progress(taken=[(1, 1)], heard=1)
    progress.lose(2, 2)

    assert progress.take(2) is Verdict.NEW
    assert progress.take(2) is Verdict.REPEAT


def test_a_loss_to_the_epochs_end_reaches_as_far_as_is_known() -> None:
    progress = Progress(taken=[(1, 2), (6, 6)], heard=6)

    assert progress.lose(4, None) == [(4, 5)]
    assert progress.missing == [(3, 3)]


def test_a_closed_epoch_opens_again_when_more_of_it_comes() -> None:
    progress = Progress(taken=[(1, 2)], heard=2, is_closed=True)

    progress.take(5)

    assert not progress.is_closed
    assert progress.missing == [(3, 4)]


def test_scattered_numbers_do_not_grow_without_bound() -> None:
    progress = Progress()

    verdicts = [progress.take(2 * number) for number in range(1, MOST_RANGES + 10)]

    assert verdicts.count(Verdict.NEW) == MOST_RANGES
    assert verdicts[-1] is Verdict.NO_ROOM
    assert progress.take(1) is Verdict.NEW  # it joins a range


@given(st.permutations(list(range(1, 30))))
def test_in_whatever_order_they_come_all_are_taken_once(order: list[int]) -> None:
    progress = Progress()

    verdicts = [progress.take(seq) for seq in [*order, *order]]

    assert verdicts == [Verdict.NEW] * 29 + [Verdict.REPEAT] * 29
    assert progress.contiguous == 29
    assert progress.missing == []


def test_it_can_be_written_down_and_read_again() -> None:
    before = Progress(taken=[(1, 2), (5, 5)], lost=[(3, 3)], heard=7)

    after = Progress(taken=before.taken, lost=before.lost, heard=before.heard)

    assert (after.contiguous, after.missing, after.is_complete) == (3, [(4, 4), (6, 7)], False)
