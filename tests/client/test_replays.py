from __future__ import annotations

from itertools import pairwise

from edge.client.progress import Progress
from edge.client.replays import PAGE, Replays

S = 1_000_000_000


def _replays() -> Replays:
    replays = Replays(grace_s=5.0, longest_s=40.0)
    replays.progressed("gate", 0)
    return replays


def test_what_is_missing_is_asked_for_after_the_grace_only() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(1, 2), (6, 9)], heard=9)}

    assert replays.next("gate", epochs, 4 * S) is None
    request = replays.next("gate", epochs, 5 * S)

    assert request is not None
    assert (request.epoch, request.first, request.last) == ("E1", 3, 5)


def test_each_new_event_gives_the_device_more_time() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(3, 3)], heard=3)}

    replays.progressed("gate", 4 * S)

    assert replays.next("gate", epochs, 8 * S) is None
    assert replays.next("gate", epochs, 9 * S) is not None


def test_unanswered_it_asks_ever_more_seldom_but_never_stops() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(3, 3)], heard=3)}

    asked = [second for second in range(400) if replays.next("gate", epochs, second * S)]

    assert asked[:4] == [5, 10, 20, 40]
    assert [after - before for before, after in pairwise(asked[4:])] == [40] * len(asked[5:])


def test_a_long_gap_is_asked_for_in_pages_one_after_the_other() -> None:
    replays = _replays()
    progress = Progress(taken=[(2 * PAGE + 1, 2 * PAGE + 1)], heard=2 * PAGE + 1)
    first = replays.next("gate", {"E1": progress}, 5 * S)
    for seq in range(1, PAGE + 1):
        progress.take(seq)

    second = replays.next("gate", {"E1": progress}, 5 * S + 1)

    assert first is not None
    assert second is not None
    assert (first.first, first.last) == (1, PAGE)
    assert (second.first, second.last) == (PAGE + 1, 2 * PAGE)


def test_an_epoch_that_was_followed_by_another_is_asked_for_its_end_once() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(1, 4)], heard=4), "E2": Progress(taken=[(1, 1)], heard=1)}

    request = replays.next("gate", epochs, 5 * S)
    epochs["E1"].is_closed = True

    assert request is not None
    assert request.is_closing
    assert (request.epoch, request.first) == ("E1", 5)
    assert replays.next("gate", epochs, 100 * S) is None


def test_an_answer_to_somebody_else_is_not_ours() -> None:
    replays = _replays()
    request = replays.next("gate", {"E1": Progress(taken=[(2, 2)], heard=2)}, 5 * S)

    assert request is not None
    assert replays.answered("gate", "other") is None
    assert replays.answered("yard", request.transaction) is None
    assert replays.answered("gate", request.transaction) == request
