"""However cameras, model and their deaths take turns, nobody writes into what somebody else may read."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.service.leases import SLOTS, Holder, LeaseError, Leases


class OneCamera(RuleBasedStateMachine):
    """A live camera and its model as the arbiter drives them, with the bound it keeps; the ledger is ours too."""

    def __init__(self) -> None:
        super().__init__()
        self.leases = Leases()
        self.written: int | None = None
        self.waiting: int | None = None
        self.lent: list[int] = []

    @rule()
    def grant(self) -> None:
        slot = self.leases.grant()
        if self.written is None:
            assert slot is not None, "a live camera never has to wait"
            assert slot not in (self.waiting, *self.lent)
            self.written = slot
        else:
            assert slot is None

    @precondition(lambda self: self.written is not None)
    @rule()
    def announce(self) -> None:
        slot, self.written = self.written, None
        assert slot is not None
        self.leases.announce(slot)
        if self.waiting is not None:
            self.leases.free(self.waiting)
        self.waiting = slot

    @precondition(lambda self: self.waiting is not None and len(self.lent) < 3)
    @rule()
    def lend(self) -> None:
        slot, self.waiting = self.waiting, None
        assert slot is not None
        self.leases.lend(slot)
        self.lent.append(slot)

    @precondition(lambda self: bool(self.lent))
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        slot = self.lent.pop(data.draw(st.integers(0, len(self.lent) - 1)))
        self.leases.take_back(slot)
        self.leases.free(slot)

    @rule()
    def the_camera_dies(self) -> None:
        self.leases.lose_camera()
        self.written = None

    @rule()
    def the_model_dies(self) -> None:
        for slot in self.lent:
            self.leases.take_back(slot)
            self.leases.free(slot)
        self.lent = []

    @rule(slot=st.integers(-1, SLOTS))
    def a_stranger_speaks(self, slot: int) -> None:
        if slot != self.written:
            with pytest.raises(LeaseError):
                self.leases.announce(slot)
        if slot not in self.lent:
            with pytest.raises(LeaseError):
                self.leases.take_back(slot)

    @invariant()
    def every_slot_has_the_holder_that_was_told(self) -> None:
        assert self.leases.granted == self.written
        assert set(self.leases.held_by(Holder.MODEL)) == set(self.lent)
        assert self.leases.held_by(Holder.ARBITER) == (() if self.waiting is None else (self.waiting,))


TestOneCamera = OneCamera.TestCase


def test_slots_that_were_never_needed_are_never_touched() -> None:
    leases = Leases()
    used = set()

    for _ in range(20):
        slot = leases.grant()
        assert slot is not None
        used.add(slot)
        leases.announce(slot)
        leases.free(slot)

    assert used == {0}
