from __future__ import annotations

from edge.report.outbox.values import Position
from edge.report.patience import Refused, Unconfirmed, Unheard

S = 1_000_000_000


def at(seq: int, epoch: str = "E") -> Position:
    return Position(epoch, seq)


def test_a_new_connection_looks_at_what_is_unconfirmed_soon() -> None:
    unconfirmed = Unconfirmed()

    unconfirmed.connected(0)

    assert not unconfirmed.is_due(1 * S)
    assert unconfirmed.is_due(2 * S)


def test_without_anything_sent_there_is_nothing_to_wait_for() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.connected(0)

    unconfirmed.sent_again([], 2 * S, is_all_quiet=True)

    assert not unconfirmed.is_due(10_000 * S)
    unconfirmed.acknowledged(at(1), 10_000 * S)
    assert unconfirmed.is_due(10_005 * S)


def test_what_was_acknowledged_just_now_is_given_its_time() -> None:
    unconfirmed = Unconfirmed()

    unconfirmed.acknowledged(at(1), 0)
    unconfirmed.acknowledged(at(2), 3 * S)

    assert unconfirmed.too_young(4 * S) == {at(1), at(2)}
    assert unconfirmed.too_young(6 * S) == {at(2)}


def test_a_consumer_that_is_away_is_tried_ever_more_seldom() -> None:
    unconfirmed = Unconfirmed()
    now_ns, pauses = 0, []
    unconfirmed.connected(0)
    for _ in range(9):
        before_ns = now_ns
        while not unconfirmed.is_due(now_ns):
            now_ns += S
        pauses.append((now_ns - before_ns) // S)
        unconfirmed.sent_again([at(20)], now_ns, is_all_quiet=False)

    assert pauses == [2, 10, 20, 40, 80, 160, 320, 600, 600]
    assert unconfirmed.count == 20


def test_more_is_sent_again_each_time_it_helps() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.connected(0)
    unconfirmed.sent_again([at(1), at(20)], 2 * S, is_all_quiet=False)

    unconfirmed.confirmed(at(20), 3 * S)

    assert unconfirmed.count == 40
    assert unconfirmed.is_due(4 * S)


def test_a_cursor_that_says_what_is_known_moves_nothing() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.confirmed(at(5), 0)

    unconfirmed.confirmed(at(5), 20 * S)

    assert not unconfirmed.is_moving("E", 20 * S)


def test_the_cursor_of_one_epoch_says_nothing_about_another() -> None:
    unconfirmed = Unconfirmed()

    unconfirmed.confirmed(at(5, "new"), 10 * S)

    assert unconfirmed.is_moving("new", 11 * S)
    assert not unconfirmed.is_moving("old", 11 * S)


def test_unheard_events_are_tried_when_somebody_listens_to_their_topic() -> None:
    unheard = Unheard()
    unheard.tried(0)
    unheard.add("yard", 20 * S)
    assert not unheard.is_due(21 * S)

    unheard.heard("street", 21 * S)
    assert not unheard.is_due(21 * S)
    unheard.heard("yard", 22 * S)
    assert unheard.is_due(22 * S)


def test_unheard_events_are_not_tried_in_a_loop() -> None:
    unheard = Unheard()
    unheard.tried(0)
    unheard.add("yard", 1 * S)

    unheard.somebody_came(2 * S)

    assert not unheard.is_due(9 * S)
    assert unheard.is_due(10 * S)


def test_refused_events_wait_and_many_of_them_stop_all() -> None:
    refused = Refused(wait_s=60, most=2)
    refused.add(at(1), 0)
    assert not refused.is_everything()
    refused.add(at(2), 1 * S)

    assert refused.is_everything()
    assert not refused.release(59 * S)
    assert refused.release(60 * S)
    assert list(refused.held_back()) == [at(2)]


def test_cursors_of_the_oldest_epochs_are_forgotten() -> None:
    unconfirmed = Unconfirmed()
    for number in range(1001):
        unconfirmed.confirmed(at(1, f"epoch-{number}"), S)

    assert not unconfirmed.is_moving("epoch-0", S)
    assert unconfirmed.is_moving("epoch-1", S)


def test_an_epoch_of_which_events_were_sent_again_is_not_at_work() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.confirmed(at(1), S)

    unconfirmed.sent_again([at(2)], S, is_all_quiet=False)

    assert not unconfirmed.is_moving("E", S)


def test_an_event_that_is_refused_no_more_is_not_held_back() -> None:
    refused = Refused()
    refused.add(at(1), 0)
    assert not refused.release(59 * S)
    assert list(refused.held_back()) == [at(1)]

    assert refused.release(60 * S)

    assert list(refused.held_back()) == []
