"""A recording through the motion gate, in one thread."""

from __future__ import annotations

from edge.core.glance import Glance
from edge.core.values import Frame, Sighting
from edge.service.gated import GatedLook
from tests.fakes import FakeDetector, frames_of

STILL = Glance(changed=0.0, moved=False, asks=False)
MOVES = Glance()


def look_at(glances: list[Glance], frames: list[Frame]) -> tuple[list[Sighting], list[int]]:
    """What is told of each frame, and the frames that the model saw."""
    detector, said = FakeDetector(), iter(glances)
    gated = GatedLook(detector.see, lambda _frame: next(said))
    return [gated.see(frame) for frame in frames], detector.frames


def test_what_was_found_last_holds_while_nothing_moves() -> None:
    frames = frames_of(4)

    seen, looked = look_at([STILL, STILL, MOVES, STILL], frames)

    assert looked == [0, 2], "nothing holds before the first look"
    assert [each.is_held for each in seen] == [False, True, False, True]
    assert [each.frame.sequence for each in seen] == [0, 1, 2, 3]
