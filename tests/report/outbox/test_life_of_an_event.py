"""What happens to events when nothing goes wrong."""

from __future__ import annotations

import os
from collections.abc import Callable

from edge.core.events import Severity
from edge.report.outbox import Guarantee, Position, Replay
from edge.report.outbox.spans import Span
from tests.report.outbox.device import CURSOR, EPOCH, WINDOW, Device, detection, event, seqs

NewDevice = Callable[..., Device]


def test_what_is_committed_can_be_read_as_it_was_given(device: Device) -> None:
    given = detection(1, wall_ms=1_763_690_000_123)
    device.commit(given)

    (found,) = device.reader.pending(10)

    assert (found.position, found.topic, found.payload) == (Position(EPOCH, 1), given.topic, given.payload)
    assert (found.severity, found.camera, found.label) == (Severity.DETECTION, "yard", "person")
    assert found.happened_wall_ms == 1_763_690_000_123


def test_the_same_identity_is_stored_once(device: Device) -> None:
    device.commit(event(1))
    device.commit(event(1, size=500), event(2))

    assert [len(stored.payload) for stored in device.reader.pending(10)] == [300, 300]


def test_what_is_sent_is_not_pending_any_more(device: Device) -> None:
    device.commit(event(1), event(2))

    device.reader.mark_sent([Position(EPOCH, 1)])

    assert seqs(device.reader.pending(10)) == [2]
    assert device.reader.depth() == 1


def test_what_is_in_flight_is_left_out(device: Device) -> None:
    device.commit(event(1), event(2), event(3))

    assert seqs(device.reader.pending(1, without={Position(EPOCH, 1)})) == [2]


def test_what_the_broker_has_and_no_cursor_covers_is_unconfirmed(device: Device) -> None:
    device.commit(event(1), event(2), event(3), event(4))
    device.reader.mark_sent(Position(EPOCH, seq) for seq in (1, 2, 3))

    device.reader.confirm(Position(EPOCH, 1))

    assert seqs(device.reader.unconfirmed(10)) == [2, 3]
    assert seqs(device.reader.unconfirmed(1)) == [2]
    assert seqs(device.reader.unconfirmed(10, after=Position(EPOCH, 2))) == [3]
    assert seqs(device.reader.unconfirmed(10, after=Position("unknown", 2))) == [2, 3]


def test_a_cursor_spares_events_whose_acknowledgement_was_lost(device: Device) -> None:
    device.commit(event(1), event(2), event(3))

    device.reader.confirm(Position(EPOCH, 2))

    assert seqs(device.reader.pending(10)) == [3]


def test_a_cursor_beyond_what_was_made_confirms_nothing_that_is_yet_to_come(device: Device) -> None:
    device.commit(event(1))

    device.reader.confirm(Position(EPOCH, 1_000_000))
    device.commit(event(2))

    assert seqs(device.reader.pending(10)) == [2]


def test_a_cursor_that_goes_back_or_is_unknown_changes_nothing(device: Device) -> None:
    device.commit(event(1), event(2))
    device.reader.mark_sent([Position(EPOCH, 1), Position(EPOCH, 2)])
    device.reader.confirm(Position(EPOCH, 2))

    device.reader.confirm(Position(EPOCH, 1))
    device.reader.confirm(Position("unknown", 7))

    assert device.reader.unconfirmed(10) == []


def test_a_cursor_of_one_epoch_says_nothing_of_another(device: Device) -> None:
    device.commit(event(1, epoch="first"), event(2, epoch="first"), event(1, epoch="second"))

    device.reader.confirm(Position("second", 1))

    assert [stored.position.epoch for stored in device.reader.pending(10)] == ["first", "first"]


def test_live_events_go_before_the_backlog(device: Device) -> None:
    device.commit(event(1), event(2))
    device.clock.advance(60)
    device.commit(event(3), event(4))

    found = device.reader.pending(3)

    assert [(stored.position.seq, stored.live) for stored in found] == [(3, True), (4, True), (1, False)]


def test_a_consumer_that_asks_for_order_gets_it(device: Device) -> None:
    device.commit(event(1), event(2))
    device.clock.advance(60)
    device.commit(event(3))

    assert seqs(device.reader.pending(10, in_order=True)) == [1, 2, 3]


def test_an_event_is_called_replayed_when_it_is_late_or_may_have_been_sent(device: Device) -> None:
    device.commit(event(1))
    device.reader.depth()  # opens the file
    device.clock.advance(0.5)
    device.commit(event(2))

    by_number = {stored.position.seq: stored for stored in device.reader.pending(10)}
    device.reader.close()
    device.clock.advance(0.5)
    after_a_restart = device.new_reader().pending(10)
    device.clock.advance(60)
    late = device.reader.pending(10)

    assert not by_number[2].is_replayed
    assert [stored.is_replayed for stored in after_a_restart] == [True, True]
    assert [(stored.live, stored.is_replayed) for stored in late] == [(False, True)] * 2
    assert late[1].age_ms == 60_500


def test_an_event_of_an_earlier_boot_is_not_live_however_short_the_time_that_ran(device: Device) -> None:
    device.commit(event(1))
    device.stop()
    device.clock.reboot()
    device.start()

    assert [stored.live for stored in device.reader.pending(10)] == [False]


def test_what_nobody_heard_waits_to_be_tried_again(device: Device) -> None:
    device.commit(event(1), event(2))
    device.reader.mark_unheard([Position(EPOCH, 1)])

    before = seqs(device.reader.pending(10))
    again = device.reader.retry_unheard()

    assert (before, again) == ([2], 1)
    assert seqs(device.reader.pending(10)) == [1, 2]
    assert device.reader.pending(1)[0].sends == 1


def test_a_replay_brings_back_what_is_held_and_names_what_is_not(device: Device) -> None:
    device.commit(event(1), event(2), event(3))
    device.reader.mark_sent(Position(EPOCH, seq) for seq in (1, 2, 3))
    device.reader.confirm(Position(EPOCH, 3))

    answer = device.reader.replay(EPOCH, 2, 5)

    assert answer == Replay(held=(Span(2, 3),), missing=(Span(4, 5),))
    assert [(stored.position.seq, stored.is_replayed) for stored in device.reader.pending(9)] == [(2, True), (3, True)]


def test_a_replay_of_an_unknown_epoch_is_missing_altogether(device: Device) -> None:
    assert device.reader.replay("unknown", 1, 5) == Replay(held=(), missing=(Span(1, 5),))
    assert device.reader.replay("unknown", 5, 1) == Replay(held=(), missing=())


def test_a_replay_does_not_reach_into_another_epoch(device: Device) -> None:
    device.commit(event(1, epoch="first"), event(1, epoch="second"))

    answer = device.reader.replay("first", 1, (1 << 40) + 5)

    assert answer.held == (Span(1, 1),)


def test_a_dead_letter_is_told_as_a_gap_and_never_replayed(device: Device) -> None:
    device.commit(event(1), event(2))
    device.reader.dead_letter(Position(EPOCH, 1), "oversize")
    device.reader.dead_letter(Position(EPOCH, 1), "oversize")
    device.reader.dead_letter(Position("unknown", 1), "oversize")
    device.reader.mark_sent([Position(EPOCH, 1), Position("unknown", 3)])

    (told,) = device.keeper.tend()

    assert (told.kind, told.cause, told.spans) == ("gap", "oversize", (Span(1, 1),))
    assert device.reader.replay(EPOCH, 1, 2) == Replay(held=(Span(2, 2),), missing=(Span(1, 1),))


def test_long_changes_are_made_in_portions(device: Device) -> None:
    device.commit(*(event(seq, size=20) for seq in range(1, 301)))

    device.reader.mark_sent(Position(EPOCH, seq) for seq in range(1, 201))
    device.reader.confirm(Position(EPOCH, 300))
    answer = device.reader.replay(EPOCH, 1, 300)

    assert answer.held == (Span(1, 300),)
    assert device.reader.depth() == 300


def test_the_version_changes_with_what_the_writer_does(device: Device) -> None:
    device.commit(event(1))
    before = device.reader.version()

    same = device.reader.version()
    device.commit(event(2))

    assert same == before
    assert device.reader.version() != before


def test_a_reader_that_comes_before_the_writer_finds_nothing(device: Device) -> None:
    device.stop()
    device.path.unlink()

    early = device.new_reader()
    without_file = (early.pending(10), early.depth(), early.version())
    device.path.touch()
    without_tables = early.pending(10)
    device.path.unlink()
    device.start()
    device.commit(event(1))

    assert without_file == ([], 0, ())
    assert without_tables == []
    assert seqs(early.pending(10)) == [1]
    early.close()


def test_the_guarantee_in_force_is_known(new_device: NewDevice) -> None:
    assert new_device(policy=CURSOR).keeper.reading().guarantee is Guarantee.CURSOR
    assert new_device(policy=WINDOW).keeper.reading().guarantee is Guarantee.WINDOW


def test_only_the_owner_can_read_it(device: Device) -> None:
    device.commit(event(1))
    device.path.chmod(0o644)
    device.restart()
    device.commit(event(2))

    modes = {path.name: path.stat().st_mode & 0o777 for path in device.path.parent.iterdir()}

    assert set(modes.values()) == {0o600}
    assert {"outbox.db", "outbox.db-wal"} <= set(modes)
    assert device.path.parent.stat().st_mode & 0o777 == 0o700


def test_in_a_folder_that_hands_its_group_on_the_group_can_read_and_mark_it(device: Device) -> None:
    """The publisher's unit is another user of the detector's group."""
    device.stop()
    for path in device.path.parent.iterdir():
        path.unlink()
    device.path.parent.chmod(0o2770)
    before = os.umask(0o077)
    try:
        device.restart()
        device.commit(event(1))
    finally:
        os.umask(before)

    modes = {path.name: path.stat().st_mode & 0o777 for path in device.path.parent.iterdir()}

    assert {"outbox.db", "outbox.db-wal", "outbox.db-shm", "outbox.db-door", "outbox.db-writer"} <= set(modes)
    assert set(modes.values()) == {0o660}


def test_epochs_without_events_are_forgotten_and_their_numbers_never_given_again(device: Device) -> None:
    for number in range(3):
        device.commit(event(1, epoch=f"epoch-{number}", size=200))
        device.reader.confirm(Position(f"epoch-{number}", 1))
    device.fill()

    numbers = device.ask("SELECT number, epoch FROM epochs")

    assert numbers == [(4, EPOCH)]


def test_what_a_run_has_sent_is_counted_by_the_file_whoever_sent_it(device: Device) -> None:
    """A publisher that was killed can't say any more what it did last."""
    device.commit(*(event(seq) for seq in range(1, 7)), event(1, epoch="01JCOTHER"))
    device.reader.mark_sent([Position(EPOCH, 1), Position("01JCOTHER", 1)])
    device.reader.mark_unheard([Position(EPOCH, 2)])
    device.reader.confirm(Position(EPOCH, 3))
    device.reader.dead_letter(Position(EPOCH, 4), "oversize")

    fresh = device.new_reader()

    assert fresh.sent(EPOCH) == 3
    assert fresh.sent("01JCNOBODY") == 0


def test_what_made_room_counts_as_sent(new_device: Callable[..., Device]) -> None:
    device = new_device()
    last = device.fill()
    device.reader.mark_sent([Position(EPOCH, seq) for seq in range(1, last + 1)])
    device.reader.confirm(Position(EPOCH, last))

    device.commit(*(event(device.seq + 1 + more, size=4000) for more in range(20)))

    assert device.held()[0] > 1
    assert device.reader.sent(EPOCH) == last
