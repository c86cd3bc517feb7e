"""What gives way, and in which order, when there is no room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.errors import ConfigError
from edge.core.events import Severity
from edge.report.outbox import LossKind, Policy, Position
from edge.report.outbox.room import free_share
from edge.report.outbox.spans import Span
from edge.report.outbox.values import PAYLOAD_LIMIT, SMALLEST_BOUND, Entry, Guarantee, Loss, Mode
from tests.report.outbox.device import CURSOR, EPOCH, WINDOW, Device, detection, event, seqs
from tools.faults.consumer import telling

NewDevice = Callable[..., Device]
MINUTE_MS = 60_000


def on_disk(device: Device) -> int:
    return sum(path.stat().st_size for path in device.path.parent.glob("outbox.db*") if "-shm" not in path.name)


def test_the_bound_holds_on_the_disk(device: Device) -> None:
    device.fill(size=9000)

    assert on_disk(device) <= SMALLEST_BOUND
    assert device.keeper.reading().used_bytes > SMALLEST_BOUND // 2
    assert device.keeper.reading().is_full


def test_a_full_outbox_refuses_new_alerts_and_names_them(device: Device) -> None:
    last = device.fill()
    device.commit(event(last + 2, size=4000), event(last + 3, size=4000))

    (told,) = device.keeper.tend()

    assert (told.kind, told.cause) == (LossKind.GAP, "space")
    assert told.spans == (Span(last + 1, last + 3),)
    assert told.count == 3
    assert device.held() == list(range(1, last + 1))


def test_the_gap_is_an_event_of_its_own_and_settles_the_loss(device: Device) -> None:
    last = device.fill()
    device.tell()

    assert device.keeper.tend() == []
    assert device.ask("SELECT count(*) FROM losses") == [(0,)]
    assert seqs(device.reader.pending(1000))[-1] == last + 2


def test_a_loss_that_grew_while_it_was_told_is_told_again(device: Device) -> None:
    device.fill()
    (first,) = device.keeper.tend()
    device.commit(event(device.seq + 1, size=4000))

    told = _tell(device, [first])
    (again,) = device.keeper.tend()

    assert told
    assert again.count == 2


def test_low_severity_is_summed_up_by_camera_label_and_minute(device: Device) -> None:
    device.fill(severity=Severity.DETECTION)
    first = device.seq + 1
    for offset, wall_ms in enumerate((MINUTE_MS, 90_000, 2 * MINUTE_MS)):
        device.commit(detection(first + offset, label="car", wall_ms=wall_ms, size=4000))
    device.commit(event(first + 3))
    before = device.keeper.tend()
    device.clock.advance(61)

    told = device.keeper.tend()

    assert before == []
    summaries = [(loss.kind, loss.camera, loss.label, loss.minute, loss.spans) for loss in told]
    assert summaries[1:] == [
        (LossKind.SUMMARY, "yard", "car", 1, (Span(first, first + 1),)),
        (LossKind.SUMMARY, "yard", "car", 2, (Span(first + 2, first + 2),)),
    ]
    assert device.held()[-1] == first + 3


def test_stored_detections_make_room_for_alerts(device: Device) -> None:
    last = device.fill(severity=Severity.DETECTION)
    for seq in range(last + 2, last + 102):
        device.commit(event(seq, size=4000))
    device.clock.advance(61)

    told = device.keeper.tend()

    assert set(range(last + 2, last + 102)) <= set(device.held())
    assert {loss.kind for loss in told} == {LossKind.SUMMARY}
    assert told[0].spans[0].first == 1


def test_a_stored_detection_that_is_damaged_is_named_by_its_number(device: Device) -> None:
    last = device.fill(severity=Severity.DETECTION)
    device.change("UPDATE events SET payload = x'00' WHERE id & 1099511627775 = 1")
    for seq in range(last + 2, last + 60):
        device.commit(event(seq, size=4000))

    assert ("damage", "1-1") in device.ask("SELECT cause, spans FROM losses")


def test_confirmed_events_are_kept_for_replays_until_their_room_is_needed(device: Device) -> None:
    for seq in range(1, 51):
        device.commit(event(seq, size=4000))
    device.reader.confirm(Position(EPOCH, 50))
    kept = device.held()

    last = device.fill()

    assert kept == list(range(1, 51))
    assert device.held() == list(range(51, last + 1))


def test_a_confirmation_makes_room_at_once(device: Device) -> None:
    last = device.fill()
    device.reader.confirm(Position(EPOCH, last // 2))

    device.commit(event(last + 2, size=4000))

    assert device.held()[-1] == last + 2


def test_what_is_told_unblocks_a_consumer_that_stands_before_the_hole(device: Device) -> None:
    last = device.fill()
    device.reader.mark_sent(Position(EPOCH, seq) for seq in range(1, last + 1))

    told = device.tell()

    assert [loss.spans for loss in told] == [(Span(last + 1, last + 1),)]


def test_nothing_is_told_while_even_the_reserve_is_used(device: Device) -> None:
    device.fill(size=300)
    while device.tell():
        device.commit(event(device.seq + 1))

    assert device.ask("SELECT count(*) FROM losses") == [(1,)]
    assert on_disk(device) <= SMALLEST_BOUND


def test_what_is_confirmed_makes_room_for_telling(device: Device) -> None:
    device.fill(size=300)
    while device.tell():
        device.commit(event(device.seq + 1))
    device.reader.confirm(Position(EPOCH, 100))

    assert len(device.keeper.tend()) == 1


def test_a_loss_with_many_holes_is_told_in_parts(device: Device) -> None:
    last = device.fill(severity=Severity.DETECTION)
    for seq in range(last + 2, last + 82, 2):
        device.commit(detection(seq, size=4000), event(seq + 1, size=20))
    device.clock.advance(61)

    told = device.keeper.tend()

    assert len(told) == 3
    assert max(len(loss.spans) for loss in told) == 16
    assert sum(loss.count for loss in told) == 41


def test_a_long_loss_is_recorded_in_parts_too(device: Device) -> None:
    spans = tuple(Span(2 * number, 2 * number) for number in range(1, 41))

    device.keeper.commit([], [Loss(LossKind.GAP, "memory", EPOCH, spans)])

    assert [loss.count for loss in device.keeper.tend()] == [16, 16, 8]


def test_at_most_eight_losses_are_handed_out_at_a_time(device: Device) -> None:
    device.keeper.commit([], [Loss(LossKind.GAP, "memory", f"epoch-{n}", (Span(1, 1),)) for n in range(10)])

    assert [len(device.keeper.tend()) for _ in range(3)] == [8, 2, 0]


def test_without_a_consumer_what_was_sent_is_given_up_after_its_window(new_device: NewDevice) -> None:
    device = new_device(policy=replace(WINDOW, window_ms=3600_000))
    last = device.fill()
    device.reader.mark_sent(Position(EPOCH, seq) for seq in range(1, 100))
    device.clock.advance(3599)
    device.commit(event(last + 2, size=4000))
    early = device.held()[-1]

    device.clock.advance(6)
    device.commit(event(last + 3, size=4000))

    assert early == last
    assert device.held()[-1] == last + 3


def test_what_nobody_heard_has_no_window(new_device: NewDevice) -> None:
    device = new_device(policy=replace(WINDOW, window_ms=1000))
    last = device.fill()
    device.reader.mark_unheard(Position(EPOCH, seq) for seq in range(1, 100))

    device.clock.advance(3600)
    device.commit(event(last + 2, size=4000))

    assert device.held()[-1] == last


def test_dead_letters_are_given_up_first(device: Device) -> None:
    last = device.fill()
    for seq in range(1, 20):
        device.reader.dead_letter(Position(EPOCH, seq), "oversize")

    device.commit(event(last + 2, size=4000))

    assert device.held()[-1] == last + 2
    assert device.held()[0] == 20


def test_on_a_nearly_full_disk_the_file_does_not_grow(device: Device) -> None:
    for seq in range(1, 40):
        device.commit(event(seq, size=4000))
    before = device.path.stat().st_size
    device.free = 0.04

    device.commit(event(40, size=4000))
    (told,) = device.keeper.tend() or [None]

    assert told is None or told.cause == "disk"
    assert device.ask("SELECT cause, spans FROM losses") == [("disk", "40-40")]
    assert device.path.stat().st_size == before


def test_on_a_nearly_full_disk_what_is_confirmed_gives_way(device: Device) -> None:
    for seq in range(1, 40):
        device.commit(event(seq, size=4000))
    device.reader.confirm(Position(EPOCH, 39))
    device.free = 0.04

    device.commit(event(40, size=4000))

    assert device.held()[-1] == 40


def test_an_event_larger_than_any_packet_is_refused_and_named(device: Device) -> None:
    device.commit(event(1, size=PAYLOAD_LIMIT + 1), event(2))

    (told,) = device.keeper.tend()

    assert (told.cause, told.spans) == ("oversize", (Span(1, 1),))
    assert device.held() == [2]


def test_a_bound_that_can_not_be_kept_is_refused() -> None:
    with pytest.raises(ConfigError, match="raise max_megabytes"):
        Policy(max_bytes=SMALLEST_BOUND - 1)
    with pytest.raises(ConfigError, match="0 to 1"):
        Policy(least_free=1.0)


def test_the_free_share_of_a_disk_is_a_share(tmp_path: Path) -> None:
    assert 0.0 < free_share(tmp_path) <= 1.0
    assert free_share(Path("/proc")) == 0.0


def test_the_window_survives_reboots_because_time_is_written_down(new_device: NewDevice) -> None:
    device = new_device(policy=replace(WINDOW, window_ms=7200_000))
    last = device.fill()
    device.reader.mark_sent(Position(EPOCH, seq) for seq in range(1, 100))
    device.clock.advance(3700)
    device.keeper.tend()
    device.stop()
    device.clock.reboot()
    device.start()

    device.clock.advance(3700)
    device.commit(event(last + 2, size=4000))

    assert device.held()[-1] == last + 2


def test_a_summary_does_not_wait_longer_because_of_a_reboot(device: Device) -> None:
    device.fill(severity=Severity.DETECTION)
    device.clock.advance(7200)
    device.commit(detection(device.seq + 1, size=4000, label="car"))
    device.stop()
    device.clock.reboot()
    device.start()
    device.clock.advance(61)

    assert "car" in {loss.label for loss in device.keeper.tend()}


def test_nothing_is_written_when_nothing_happens(new_device: NewDevice) -> None:
    for policy in (CURSOR, WINDOW):
        device = new_device(policy=policy)
        device.keeper.tend()
        before = device.ask("SELECT kept_ms FROM clock")
        device.clock.advance(60)
        device.keeper.tend()
        device.reader.pending(10)

        assert device.ask("SELECT kept_ms FROM clock") == before


def _tell(device: Device, losses: list[Loss]) -> bool:
    device.seq += 1
    return device.keeper.commit(
        [Entry(telling(loss, Position(EPOCH, device.seq + n)), settles=loss) for n, loss in enumerate(losses)]
    )


def test_another_bound_holds_while_events_come_and_none_of_them_is_lost(new_device: Callable[..., Device]) -> None:
    device = new_device(policy=Policy(max_bytes=4 * SMALLEST_BOUND))
    device.keeper.commit([Entry(event(seq)) for seq in range(1, 21)])

    device.keeper.change(Policy(max_bytes=SMALLEST_BOUND, has_consumer=True))
    device.keeper.tend()
    device.keeper.commit([Entry(event(21))])

    reading = device.keeper.reading()
    assert (reading.mode, reading.guarantee, reading.pending) == (Mode.DURABLE, Guarantee.CURSOR, 21)
    assert reading.lost == 0


def test_another_policy_is_kept_to_soon(device: Device) -> None:
    last = device.fill()
    before = device.keeper.reading().lost

    device.keeper.change(replace(device.policy, max_bytes=2 * device.policy.max_bytes, has_consumer=False))
    device.keeper.tend()
    device.commit(event(device.seq + 1, size=4000))

    reading = device.keeper.reading()
    assert (reading.guarantee, reading.mode, reading.lost) == (Guarantee.WINDOW, Mode.DURABLE, before)
    assert device.held()[-1] == device.seq > last
