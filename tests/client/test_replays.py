from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from edge.client.progress import Progress
from edge.client.replays import PAGE, Replays

S = 1_000_000_000


def _replays() -> Replays:
    return Replays(grace_s=5.0, longest_s=40.0)


def _asked(replays: Replays, epochs: dict[str, Progress], seconds: Iterable[int]) -> list[int]:
    """When it asked, of the seconds at which it was looked at."""
    return [second for second in seconds if replays.next("gate", epochs, second * S)]


def test_what_is_missing_is_asked_for_after_the_grace_only() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(1, 2), (6, 9)], heard=9)}

    assert _asked(replays, epochs, range(5)) == []
    request = replays.next("gate", epochs, 5 * S)

    assert request is not None
    assert (request.epoch, request.first, request.last) == ("E1", 3, 5)


def test_while_the_device_fills_the_hole_by_itself_it_is_given_time() -> None:
    replays = _replays()
    progress = Progress(taken=[(9, 9)], heard=9)
    assert _asked(replays, {"E1": progress}, range(5)) == []

    progress.take(1)

    assert _asked(replays, {"E1": progress}, range(5, 10)) == []
    assert _asked(replays, {"E1": progress}, [10]) == [10]


def test_a_hole_is_asked_for_though_newer_events_never_stop_coming() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(1, 2), (6, 9)], heard=9, is_closed=True), "E2": Progress()}
    asked = []

    for second in range(8):
        epochs["E2"].take(second + 1)
        asked += _asked(replays, epochs, [second])

    assert asked == [5]


def test_the_end_of_an_older_epoch_is_asked_for_though_newer_events_never_stop_coming() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(1, 9)], heard=9), "E2": Progress()}
    asked = []

    for second in range(8):
        epochs["E2"].take(second + 1)
        asked += _asked(replays, epochs, [second])

    assert asked == [5]


def test_a_new_hole_has_its_own_grace() -> None:
    replays = _replays()
    progress = Progress(taken=[(1, 2)], heard=2)
    assert _asked(replays, {"E1": progress}, range(100)) == []

    progress.take(4)

    assert _asked(replays, {"E1": progress}, range(100, 106)) == [105]


def test_unanswered_it_asks_ever_more_seldom_but_never_stops() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(3, 3)], heard=3)}

    asked = _asked(replays, epochs, range(400))

    assert asked[:4] == [5, 10, 20, 40]
    assert [after - before for before, after in pairwise(asked[4:])] == [40] * len(asked[5:])


def test_a_long_gap_is_asked_for_in_pages_one_after_the_other() -> None:
    replays = _replays()
    progress = Progress(taken=[(2 * PAGE + 1, 2 * PAGE + 1)], heard=2 * PAGE + 1)
    replays.next("gate", {"E1": progress}, 0)
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

    replays.next("gate", epochs, 0)
    request = replays.next("gate", epochs, 5 * S)
    epochs["E1"].is_closed = True

    assert request is not None
    assert request.is_closing
    assert (request.epoch, request.first) == ("E1", 5)
    assert replays.next("gate", epochs, 100 * S) is None


def test_an_answer_to_somebody_else_is_not_ours() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(2, 2)], heard=2)}
    replays.next("gate", epochs, 0)
    request = replays.next("gate", epochs, 5 * S)

    assert request is not None
    assert replays.answered("gate", "other") is None
    assert replays.answered("yard", request.transaction) is None
    assert replays.answered("gate", request.transaction) == request


def test_quiet_is_a_device_of_which_nothing_that_is_missing_comes() -> None:
    replays = _replays()
    progress = Progress(taken=[(9, 9)], heard=9)
    assert not replays.is_quiet("gate", {"E1": progress}, 0)
    progress.take(1)
    assert not replays.is_quiet("gate", {"E1": progress}, 5 * S)

    assert replays.is_quiet("gate", {"E1": progress}, 10 * S)


def test_an_epoch_that_was_forgotten_is_asked_for_no_more() -> None:
    replays = _replays()
    progress = Progress(taken=[(2, 2)], heard=2)
    assert _asked(replays, {"E1": progress}, [0, 5]) == [5]

    assert _asked(replays, {}, range(6, 400)) == []


def test_what_was_asked_for_is_void_on_another_connection() -> None:
    replays = _replays()
    epochs = {"E1": Progress(taken=[(2, 2)], heard=2)}
    replays.next("gate", epochs, 0)
    request = replays.next("gate", epochs, 5 * S)
    assert request is not None

    replays.connected()

    assert replays.answered("gate", request.transaction) is None
    assert _asked(replays, epochs, range(6, 13)) == [11]
