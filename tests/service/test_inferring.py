"""The model's process hears what is said to it while the model runs."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from edge.core.clock import SystemClock
from edge.core.values import FrameFacts
from edge.service.announced import Announced
from edge.service.brain import Brain
from edge.service.inference import Answer, Inference
from edge.service.shared_frames import make_frame_memory
from tests.service import acting_infer

PATIENCE_S = 40.0


class Busy:
    """A brain whose first run does not end: it is not tended any more, so nobody minds."""

    def __init__(self, begun: Path, memory: int, *, is_ahead: bool) -> None:
        self._clock = SystemClock()
        part = acting_infer.Part(mishap="hang", at=1, once=str(begun), is_ahead=is_ahead)
        inference = Inference(acting_infer.__name__, msgspec.msgpack.encode(part))
        self.brain = Brain(inference, {"yard": memory}, self._clock)
        self._until(lambda: self.brain.ready is not None, self.brain.tend)
        self.lend(0)
        self._until(begun.exists)

    def lend(self, sequence: int) -> None:
        facts = FrameFacts("yard", sequence, sequence, datetime(2026, 1, 1, tzinfo=UTC), 8, 4)
        assert self.brain.look(Announced(sequence, facts), is_replaceable=True)

    def answers(self, within_s: float = PATIENCE_S) -> list[Answer]:
        number = self.brain.fileno()
        select.select([] if number is None else [number], [], [], within_s)
        return self.brain.receive()

    def _until(self, done: Callable[[], bool], tend: Callable[[], None] = lambda: None) -> None:
        end_ns = self._clock.monotonic_ns() + round(PATIENCE_S * 1e9)
        while not done():
            assert self._clock.monotonic_ns() < end_ns
            tend()
            assert self.answers(within_s=0.02) == []


@pytest.fixture(params=[False, True], ids=["alone", "ahead"])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Busy]:
    memory = make_frame_memory("yard")
    found = Busy(tmp_path / "begun", memory, is_ahead=request.param)
    yield found
    found.brain.end()
    os.close(memory)


def test_a_frame_that_waits_makes_room_for_newer_ones_while_the_model_runs(busy: Busy) -> None:
    busy.lend(1)
    busy.lend(2)

    assert [(one.announced.frame.sequence, one.seen) for one in busy.answers()] == [(1, None)]
    assert busy.brain.may_replace("yard")  # by one that is newer still: else it would be as old as the run is long
