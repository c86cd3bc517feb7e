"""Whatever the tracker tells: what begins ends, nobody is counted twice, and no time runs backwards."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.events import EventType, LineCount, Occupancy, Occurrence
from edge.track.rules.absence import Absence
from edge.track.rules.appear import Appear
from edge.track.rules.count import Count
from edge.track.rules.dwell import Dwell
from edge.track.rules.enter import Enter
from edge.track.rules.terms import Terms
from tests.track.stage import GATE, MIDDLE, Stage, box_at

# For each of four things in each frame: where it is, or hidden, or gone; and whether it stands still.
THING = st.one_of(st.none(), st.just("hidden"), st.tuples(st.floats(0, 1), st.floats(0.3, 1), st.booleans()))
FRAME = st.tuples(st.lists(THING, min_size=4, max_size=4), st.sampled_from([-0.5, 0.0, 0.05, 0.5, 2.0, 40.0]),
                  st.sampled_from(["person", "car"]))  # fmt: skip


def perform(frames: list) -> Stage:
    rules = [
        Appear(Terms("appear")),
        Enter(Terms("enter", label="person", zone="middle")),
        Dwell(Terms("dwell", zone="middle"), 1.0),
        Count(Terms("count", zone="middle"), 2, 0.0),
        Absence(Terms("absence", label="car"), 3.0),
    ]
    stage = Stage.of(*rules, zones=MIDDLE, lines=GATE)
    for things, after_s, label in frames:
        seen = {i: thing for i, thing in enumerate(things) if isinstance(thing, tuple)}
        boxes = {i: box_at(x, y) for i, (x, y, _) in seen.items()}
        hidden = [i for i, thing in enumerate(things) if thing == "hidden" and i in stage.tracks]
        still = [i for i, (_, _, stands) in seen.items() if stands]
        stage.show(boxes, after_s=after_s, label=label, hidden=hidden, still=still)
    stage.told += stage.book.finish()
    return stage


def happenings(told: list[Occurrence], *types: EventType) -> list[Occurrence]:
    return [each for each in told if each.type in types]


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAME, max_size=30))
def test_what_begins_ends_and_no_time_runs_backwards(frames: list) -> None:
    stage = perform(frames)

    for begin, end in ((EventType.TRACK_START, EventType.TRACK_END), (EventType.ZONE_ENTER, EventType.ZONE_EXIT)):
        open_now: set[int] = set()
        for each in happenings(stage.told, begin, end):
            is_repeated = each.rule is not None and each.type is begin and each.track.track_id in open_now
            assert is_repeated or (each.track.track_id in open_now) == (each.type is end)
            (open_now.discard if each.type is end else open_now.add)(each.track.track_id)
        assert open_now == set()
    assert all(reason.value >= 0 for each in stage.told if each.rule for reason in each.rule.why)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAME, max_size=30))
def test_counts_are_those_of_the_events(frames: list) -> None:
    stage = perform(frames)

    changes = stage.book.changes()
    assert all(each.count == 0 for each in changes if isinstance(each, Occupancy))
    crossed = Counter(each.line.direction for each in happenings(stage.told, EventType.LINE_CROSS))
    for line in (each for each in changes if isinstance(each, LineCount)):
        assert (line.entered, line.left) == (crossed["in"], crossed["out"])
