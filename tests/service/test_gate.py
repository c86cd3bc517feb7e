"""When the model rests."""

from __future__ import annotations

from edge.core.glance import Glance
from edge.service.gate import MotionGate

STILL, ASKS = Glance(moved=False, asks=False), Glance(moved=True, asks=True)


def looks(gate: MotionGate, glances: list[Glance | None]) -> list[bool]:
    """Frame by frame, each wanted one looked at."""
    wanted = []
    for glance in glances:
        wanted.append(gate.wants(glance))
        if wanted[-1]:
            gate.looked()
    return wanted


def test_the_model_looks_at_the_first_frame_and_at_those_that_ask() -> None:
    assert looks(MotionGate(), [STILL, STILL, ASKS, ASKS, STILL]) == [True, False, True, True, False]


def test_a_wish_goes_over_to_the_frame_that_overtook() -> None:
    gate = MotionGate()
    looks(gate, [STILL, STILL])

    assert gate.wants(ASKS)
    assert gate.wants(STILL), "nobody looked at the one before"


def test_a_look_that_came_to_nothing_is_made_up_for() -> None:
    gate = MotionGate()
    looks(gate, [STILL, STILL])
    gate.missed()

    assert gate.wants(STILL)


def test_what_is_not_known_to_be_still_is_looked_at() -> None:
    assert looks(MotionGate(), [None] * 5) == [True] * 5


def test_switched_off_it_lets_all_through_and_spares_nothing() -> None:
    gate = MotionGate(is_on=False)

    assert looks(gate, [STILL] * 50) == [True] * 50
    assert gate.saved == 0.0


def test_what_it_spares_is_counted() -> None:
    gate = MotionGate()

    assert gate.saved is None
    looks(gate, [STILL] * 8)
    assert (gate.asked, gate.held, gate.saved) == (1, 7, 0.875)
