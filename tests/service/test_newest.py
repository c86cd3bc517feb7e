from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from edge.service.newest import DropCause, EveryFrame, NewestFrame
from tests.builders import make_frame

LONG_S = 20.0  # never waited for: a test that needs it has failed


def in_thread(work: Callable[[], object]) -> Callable[[], object]:
    """Start the work; the answer waits for its result."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()

    def result() -> object:
        thread.join(LONG_S)
        assert results, "the thread still waits"
        return results[0]

    return result


def test_the_newest_frame_wins_and_the_others_are_counted():
    slot = NewestFrame()
    for sequence in range(5):
        assert slot.put(make_frame(sequence=sequence))

    assert slot.take(0).sequence == 4
    counts = slot.hand_over()
    assert (counts.put, counts.taken) == (5, 1)
    assert counts.dropped == {DropCause.OVERWRITTEN: 4, DropCause.CLOSED: 0}


@pytest.mark.parametrize("kind", [NewestFrame, EveryFrame])
class TestEitherSlot:
    def test_a_frame_is_taken_once(self, kind):
        slot = kind()
        slot.put(make_frame())
        slot.take(0)

        assert slot.take(0) is None
        assert not slot.is_over

    def test_whoever_waits_gets_the_frame(self, kind):
        slot = kind()
        taken = in_thread(lambda: slot.take(LONG_S))

        slot.put(make_frame(sequence=7))

        assert taken().sequence == 7

    def test_close_wakes_whoever_waits(self, kind):
        slot = kind()
        taken = in_thread(lambda: slot.take(None))

        slot.close()

        assert taken() is None
        assert slot.is_over

    def test_the_last_frame_can_be_taken_after_close(self, kind):
        slot = kind()
        slot.put(make_frame(sequence=3))
        slot.close()

        assert not slot.is_over
        assert slot.take(0).sequence == 3
        assert slot.is_over

    def test_what_comes_after_close_is_refused_and_counted(self, kind):
        slot = kind()
        slot.close()
        slot.close()

        assert not slot.put(make_frame())
        assert slot.hand_over().dropped[DropCause.CLOSED] == 1

    def test_every_frame_is_accounted_for(self, kind):
        slot = kind()
        taken = in_thread(lambda: drain(slot))

        for sequence in range(500):
            slot.put(make_frame(sequence=sequence, size=(1, 1)))
        slot.close()

        sequences = taken()
        counts = slot.hand_over()
        assert sequences == sorted(set(sequences))
        assert sequences[-1] == 499
        assert counts.put == 500
        assert counts.taken == len(sequences)
        assert counts.taken + sum(counts.dropped.values()) == 500


def drain(slot: NewestFrame | EveryFrame) -> list[int]:
    sequences = []
    while (frame := slot.take(None)) is not None:
        sequences.append(frame.sequence)
    return sequences


def test_every_frame_of_a_recording_arrives():
    slot = EveryFrame()
    taken = in_thread(lambda: drain(slot))

    for sequence in range(300):
        assert slot.put(make_frame(sequence=sequence, size=(1, 1)))
    slot.close()

    assert taken() == list(range(300))


def test_the_source_waits_until_the_frame_before_was_taken():
    slot = EveryFrame()
    slot.put(make_frame(sequence=0))
    second = in_thread(lambda: slot.put(make_frame(sequence=1)))

    first = slot.take(LONG_S)

    assert second() is True
    assert (first.sequence, slot.take(0).sequence) == (0, 1)


def test_close_frees_a_source_that_waits():
    slot = EveryFrame()
    slot.put(make_frame())
    waiting = in_thread(lambda: slot.put(make_frame(sequence=1)))

    slot.close()

    assert waiting() is False
