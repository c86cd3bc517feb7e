"""Starts and ends."""

from __future__ import annotations

from datetime import timedelta

from edge.core.events import EventType
from edge.core.values import Box, Frame, Track
from edge.track.lifecycle import LifeCycle
from tests.builders import START, make_frame


def track_seen(track_id: int, *, at_s: float, since_s: float = 0.0) -> Track:
    box = Box(1, 2, 3, 4)
    return Track(track_id, 0, "person", 0.8, 0.9, box, round(since_s * 1e9), round(at_s * 1e9), frames=3)


def test_a_track_starts_when_it_is_first_told_and_only_once():
    life = LifeCycle()

    first = life.update([track_seen(1, at_s=0.2)], make_frame(sequence=2, at_s=0.2))
    second = life.update([track_seen(1, at_s=0.3)], make_frame(sequence=3, at_s=0.3))

    assert [(o.type, o.track.track_id, o.frame_sequence) for o in first] == [(EventType.TRACK_START, 1, 2)]
    assert first[0].happened_ns == 200_000_000
    assert first[0].happened_at == START + timedelta(seconds=0.2)
    assert second == []


def test_an_end_happened_when_the_thing_was_last_seen():
    life = LifeCycle()
    life.update([track_seen(1, at_s=0.2)], make_frame(sequence=2, at_s=0.2))
    life.update([track_seen(1, at_s=0.3)], make_frame(sequence=3, at_s=0.3))
    for sequence in range(4, 24):
        assert life.update([track_seen(1, at_s=0.3)], make_frame(sequence=sequence, at_s=sequence / 10)) == []

    (end,) = life.update([], make_frame(sequence=24, at_s=2.4))

    assert (end.type, end.frame_sequence, end.happened_ns) == (EventType.TRACK_END, 3, 300_000_000)
    assert end.happened_at == START + timedelta(seconds=0.3)
    assert end.track.last_seen_ns == 300_000_000


def test_the_end_of_a_recording_ends_all_tracks_once():
    life = LifeCycle()
    life.update([track_seen(2, at_s=0.1), track_seen(1, at_s=0.1)], make_frame(at_s=0.1))

    ends = life.finish()

    assert [(o.type, o.track.track_id) for o in ends] == [(EventType.TRACK_END, 1), (EventType.TRACK_END, 2)]
    assert life.finish() == []


def test_a_wall_clock_that_is_stepped_back_changes_no_duration():
    life = LifeCycle()
    image = make_frame().image
    (start,) = life.update([track_seen(1, at_s=1)], Frame(image, "yard", 10, 10**9, START))
    life.update([track_seen(1, at_s=2)], Frame(image, "yard", 20, 2 * 10**9, START - timedelta(days=365)))

    (end,) = life.finish()

    assert end.happened_ns - start.happened_ns == 10**9
    assert end.happened_at == START - timedelta(days=365)


def test_ends_are_told_before_starts():
    life = LifeCycle()
    life.update([track_seen(1, at_s=1)], make_frame(at_s=1))

    both = life.update([track_seen(2, at_s=5)], make_frame(at_s=5))

    assert [o.type for o in both] == [EventType.TRACK_END, EventType.TRACK_START]
