"""A configuration to a running service: every part named, none of them running yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import __version__
from edge.assemble.brains import LineUp, line_up
from edge.assemble.changes import Reload, Sisters
from edge.assemble.errands import Errands, Office
from edge.assemble.in_force import InForce
from edge.assemble.outbox import outbox_policy
from edge.assemble.outlet import guarantee, make_keeper, make_outlet, make_publisher
from edge.assemble.plan import Plan, make_plan
from edge.assemble.reload import Draft, read_draft
from edge.assemble.safe_mode import Start
from edge.assemble.scenes import Scenes
from edge.assemble.sight import make_workshop
from edge.assemble.sister import sister_of
from edge.assemble.steward import Board, make_steward
from edge.assemble.threads import choose_threads
from edge.core.protocols import Clock
from edge.report.listening import Inbox
from edge.service.arbiter import Arbiter
from edge.service.brains import Brains
from edge.service.crash_loop import GoodRun
from edge.service.exchange import Exchange
from edge.service.health import camera_status, health_report
from edge.service.identity import Identities, new_epoch
from edge.service.news import ROLLED_BACK
from edge.service.parts import Parts
from edge.service.publishing import Publishing
from edge.service.reading import Reports
from edge.service.reloading import Reloading
from edge.service.runner import Service
from edge.service.steward import Steward
from edge.service.systemd import Notifier
from edge.service.waking import WakingClock
from edge.service.watch import Cast


@dataclass(frozen=True, slots=True)
class Assembly:
    """The service, and what its caller needs besides.

    epoch : of this run's events
    summary : one line that says what runs where
    """

    service: Service
    outlet: Publishing
    outbox: Path
    epoch: str
    summary: str
    reload: Callable[[], None]


def assemble_service(
    start: Start, clock: Clock, *, publisher: Path | None = None, board: Board | None = None
) -> Assembly:
    """Build everything; raises what a person has to mend before anything starts.

    publisher : the socket of a publisher that runs by itself; None = the service starts one
    board : the machine that is looked after; this one if there is no other

    Raises
    ------
    ConfigError, ModelError, MissingLibraryError
    """
    line = line_up(start.config, start.model)
    sister = None if start.model is not None else sister_of(start.config, line.model)
    plan = make_plan(start.config, line, sister=sister, has_own_publisher=publisher is None)
    works = Works(plan, start, clock, publisher, board or Board())
    return Assembly(works.service, works.outlet, plan.outbox, works.epoch, _summary(plan), works.reload)


class Works:
    """The service of a configuration, and how it becomes that of the next one."""

    def __init__(self, plan: Plan, start: Start, clock: Clock, publisher: Path | None, board: Board) -> None:
        self._start = start
        self._board = board
        self._clock = clock
        self._publisher = publisher
        self._notifier = Notifier(note=start.note)
        identities, inbox = Identities(plan.config.device, new_epoch(clock)), Inbox()
        self.epoch = identities.epoch
        self.in_force = InForce(plan, identities, clock)
        self.reloading = Reloading(self._read, self._notifier, clock)
        self.in_force.refused = lambda: self.reloading.refused
        workshop = make_workshop(plan.config, plan.line, plan.infer, self.in_force.lowest_score, clock)
        self._arbiter = Arbiter(
            plan.captures,
            workshop.brains,
            clock,
            disabled=self.in_force.disabled,
            lookouts=plan.lookouts,
            waking=WakingClock(clock),
        )
        self._keeper = make_keeper(plan.config, plan.outbox, plan.volatile, clock)
        self.outlet = make_outlet(
            plan.config,
            self._keeper,
            make_publisher(plan.setup, publisher, clock),
            tell=self.in_force.tell_loss,
            describe=lambda delivery: self.in_force.describe(self._arbiter.brain, delivery),
            hear=inbox.put,
            clock=clock,
        )
        self._errands = Errands(self.in_force, Office(self._arbiter, self.outlet, inbox, clock))
        self._scenes = Scenes(identities, clock, self._errands.witness)
        self.reloading.describe = lambda: [self.outlet.describe()]
        self.exchanging = Exchange(Sisters(self, self._arbiter, clock), clock)
        self._steward = self._make_steward(plan)
        self._good_run = self._make_good_run(plan.line)
        self.service = Service(
            self._make_parts(frozenset()),
            sight=self._arbiter,
            outlet=self.outlet,
            notifier=self._notifier,
            clock=clock,
        )

    def reload(self) -> None:
        """Read the configuration anew; safe from a signal handler."""
        self.reloading.ask()
        self.service.wake()

    def adopt(self, draft: Draft, *, is_smaller: bool) -> None:
        """Put another configuration in force; belongs to the thread of the service.

        is_smaller : whether the model's smaller sister, who is at work, stays there
        """
        before = self.in_force.nominal
        if draft.is_same(before):
            self.in_force.restart = draft.restart
            return
        self.in_force.take_up(draft.plan, draft.restart, is_smaller=is_smaller)
        plan = self.in_force.plan
        renewed = self._arbiter.change(Cast(plan.captures, plan.lookouts, self.in_force.disabled))
        self._arbiter.brain.tune(self.in_force.lowest_score)
        if plan.config.governor != before.config.governor or draft.has_other_sister(before):
            self._steward = self._make_steward(draft.plan)
        self._steward.apply()
        self._start.take_up(plan.config, draft.content)
        self._notifier.note = self._start.note
        self._good_run = self._make_good_run(draft.plan.line)
        self._keeper.change(outbox_policy(plan.config))
        publisher = None
        if plan.setup != before.setup:
            publisher = make_publisher(plan.setup, self._publisher, self._clock)
        self.outlet.change(publisher, guarantee(plan.config))
        self.service.change(self._make_parts(renewed))

    def _read(self) -> Reload:
        """In a thread of its own."""
        file, plan = self._start.config.origin.file, self.in_force.nominal
        draft = read_draft(file, self._start, plan, has_own_publisher=self._publisher is None)
        return Reload(self, self._arbiter, draft, self._clock)

    def exchange(self, *, is_smaller: bool) -> None:
        """The model's smaller sister takes its place, or gives it back; belongs to the thread of the service."""
        self.in_force.exchange(is_smaller=is_smaller)
        plan = self.in_force.plan
        renewed = self._arbiter.change(Cast(plan.captures, plan.lookouts, self.in_force.disabled), is_alike=True)
        self._arbiter.brain.tune(self.in_force.lowest_score)
        self._steward.apply()
        self.service.change(self._make_parts(renewed))

    def _make_parts(self, renewed: frozenset[str]) -> Parts:
        plan = self.in_force.plan
        config = plan.config
        pipelines = self._scenes.change(plan, self.in_force.wanted, renewed)
        return Parts(
            pipelines=pipelines,
            reports=Reports(
                camera=camera_status(plan.topics),
                health=health_report(
                    plan.topics,
                    tuple(config.cameras),
                    self._clock,
                    folder=config.folder,
                    standing=self._standing,
                    system=self._board.system,
                ),
                interval_s=config.health.interval_seconds,
                standing=self._standing,
            ),
            errands=(self._good_run, *self._errands.of(pipelines), self.exchanging, self.reloading),
            steward=self._steward,
            renewed=renewed,
        )

    def _standing(self) -> tuple[str, ...]:
        """Reasons that hold whatever is measured."""
        return (*self._start.reasons, *self.reloading.reasons, *self.exchanging.reasons)

    def _make_steward(self, nominal: Plan) -> Steward:
        return make_steward(nominal, self._arbiter, self.exchanging, self._board)

    def _make_good_run(self, line: LineUp) -> GoodRun:
        return GoodRun(lambda: _remember(self._start, line, self._arbiter.brain), self._clock)


def _remember(start: Start, line: LineUp, brains: Brains) -> None:
    """It has run well: with the CPU's version, which needs the least, unless that is what did not."""
    if ROLLED_BACK not in brains.reasons:
        start.ran_well(line.cpu, line.trust.last_good())


def _summary(plan: Plan) -> str:
    config, model = plan.config, plan.model
    names = tuple(config.cameras)
    return (
        f"edge {__version__}: device {config.device}, {len(names)} camera(s) {', '.join(names)}; model {model.name} on "
        f"{model.layout.backend} ({choose_threads(config.threads)} threads); "
        f"broker {config.broker.host}:{config.broker.port}; events wait in {plan.outbox}"
    )
