"""What can become another while the service runs: the configuration, and which of two models works."""

from __future__ import annotations

from typing import Protocol

from edge.assemble.brains import Workshop
from edge.assemble.in_force import InForce
from edge.assemble.plan import Plan
from edge.assemble.reload import Draft, can_be_tried
from edge.assemble.sight import make_workshop
from edge.core.protocols import Clock
from edge.service.arbiter import Arbiter
from edge.service.exchange import Exchange
from edge.service.reloading import Reloading


class Works(Protocol):
    """What is needed of the service that is changed."""

    in_force: InForce
    reloading: Reloading
    exchanging: Exchange

    def adopt(self, draft: Draft, *, is_smaller: bool) -> None: ...

    def exchange(self, *, is_smaller: bool) -> None: ...


class Rehearsal:
    """A model's process beside the one that is at work."""

    def __init__(self, arbiter: Arbiter, clock: Clock) -> None:
        self._arbiter = arbiter
        self._clock = clock
        self._workshop: Workshop | None = None

    @property
    def is_under_way(self) -> bool:
        return self._workshop is not None

    def begin(self, plan: Plan, lowest_score: float, *, is_tried: bool) -> None:
        """See ``Succession.rehearse``."""
        workshop = self._workshop = make_workshop(plan.config, plan.line, plan.infer, lowest_score, self._clock)
        workshop.is_on_trial = True
        self._arbiter.rehearse(tuple(plan.config.cameras), workshop.brains, is_tried=is_tried)

    def end(self) -> None:
        """It was good, and is at work from now on."""
        if self._workshop is not None:
            self._workshop.is_on_trial = False


class Reload:
    """Another configuration. Implements ``edge.service.reloading.Change``."""

    def __init__(self, works: Works, arbiter: Arbiter, draft: Draft, clock: Clock) -> None:
        self._works = works
        self._arbiter = arbiter
        self._draft = draft
        self._rehearsal = Rehearsal(arbiter, clock)
        self._before = works.in_force.nominal
        self.summary = draft.summary(self._before)

    def begin(self) -> None:
        """Have another model's process run beside the one that is at work, where there has to be another.

        A smaller sister at work gives way to the model that the file names: that one has to be tried.
        """
        self._works.exchanging.step_aside()
        draft, in_force = self._draft, self._works.in_force
        is_other = draft.has_other_brains(self._before)
        if is_other or (in_force.is_smaller and draft.has_other_sister(self._before)):
            is_tried = in_force.is_smaller or can_be_tried(self._before, draft.plan)
            self._rehearsal.begin(draft.plan, in_force.lowest_score, is_tried=is_tried)

    def is_ready(self) -> bool:
        """Whether that process runs, and the one before has answered all it was asked."""
        return self._arbiter.is_rehearsed()

    def put_in_force(self) -> None:
        self._rehearsal.end()
        is_smaller = self._works.in_force.is_smaller and not self._rehearsal.is_under_way
        self._works.adopt(self._draft, is_smaller=is_smaller)

    def abandon(self) -> None:
        """All stays as it was."""
        self._arbiter.abandon()


class Swap:
    """The model's smaller sister in its place, or the model in hers. Implements ``edge.service.reloading.Change``."""

    def __init__(self, works: Works, arbiter: Arbiter, clock: Clock, *, is_smaller: bool) -> None:
        self._works = works
        self._arbiter = arbiter
        self._rehearsal = Rehearsal(arbiter, clock)
        self._is_smaller = is_smaller
        nominal = works.in_force.nominal
        self._plan = nominal.smaller if is_smaller and nominal.smaller is not None else nominal
        verb = "does the work for now" if is_smaller else "works again"
        self.summary = f"model {self._plan.model.name} {verb}"

    def begin(self) -> None:
        """Each has the CPU's version at least, so that neither waits for the other's accelerator."""
        self._rehearsal.begin(self._plan, self._works.in_force.lowest_score, is_tried=True)

    def is_ready(self) -> bool:
        return self._arbiter.is_rehearsed()

    def put_in_force(self) -> None:
        self._rehearsal.end()
        self._works.exchange(is_smaller=self._is_smaller)

    def abandon(self) -> None:
        self._arbiter.abandon()


class Sisters:
    """A service's model and its smaller sister. Implements ``edge.service.exchange.Models``."""

    def __init__(self, works: Works, arbiter: Arbiter, clock: Clock) -> None:
        self._works = works
        self._arbiter = arbiter
        self._clock = clock

    @property
    def is_smaller(self) -> bool:
        return self._works.in_force.is_smaller

    @property
    def is_free(self) -> bool:
        """While an accelerator works, a smaller model on the CPU would be the hotter one."""
        return not self._works.reloading.is_busy and self._arbiter.thinking.backend == "cpu"

    @property
    def has_relapsed(self) -> bool:
        """Whether somebody else has come in for the sister."""
        if not self.is_smaller:
            return False
        brain, sister = self._arbiter.brain, self._works.in_force.plan.line.cpu
        return brain.error is not None or (brain.said is not None and brain.said.sha256 != sister.sha256)

    def change(self, *, is_smaller: bool) -> Swap:
        return Swap(self._works, self._arbiter, self._clock, is_smaller=is_smaller)
