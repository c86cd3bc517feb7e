"""Cameras that are watched, and what is done without at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from edge.core.clock import HandClock
from edge.core.glance import Glance
from edge.core.values import FrameFacts
from edge.service.capture import Capture, Patience
from edge.service.condition.sight import SightSettings
from edge.service.contract import Contract
from edge.service.governor import Restraint
from edge.service.lookout import LookoutSettings, Verdict
from edge.service.watch import Cast, Watch

_STILL = Glance(0.0, moved=False, asks=False)
_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def watched() -> Iterator[Callable[[bool], Watch]]:
    made: list[Watch] = []

    def make(is_whole: bool) -> Watch:
        camera = Capture("yard", "nobody", b"", is_whole=is_whole, patience=Patience(reading_s=1.0))
        clock = HandClock()
        made.append(Watch(Cast([camera], {"yard": LookoutSettings(SightSettings(fps=10))}), clock, clock))
        return made[-1]

    yield make
    for each in made:
        each.close()


def verdicts(watch: Watch, count: int) -> list[Verdict]:
    """On frames that come ten times a second."""
    frames = [FrameFacts("yard", number, number * 100_000_000, _AT, 640, 480) for number in range(count)]
    return [watch.lookouts["yard"].judge(frame, _STILL) for frame in frames]


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_recording_that_is_seen_whole_stays_so_on_a_machine_that_does_with_less(
    watched: Callable[[bool], Watch], is_whole: bool
) -> None:
    watch = watched(is_whole)
    watch.restrain(Restraint(rate=0.5, tightness=2.0), Contract())

    assert (Verdict.GOVERNED in verdicts(watch, 20)) is not is_whole
    assert watch.lookouts["yard"].is_gated is not is_whole
