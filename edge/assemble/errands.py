"""What is done between two frames, of a configuration: commands, discovery, pictures, what is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.assemble.commands import Adjustable, make_desk
from edge.assemble.home_assistant import make_announcer, shown_device
from edge.assemble.in_force import InForce
from edge.assemble.leftovers import kept_by_broker, make_leftovers
from edge.assemble.snapshots import make_snapshots, portrayals
from edge.core.events import Occurrence
from edge.core.protocols import Clock
from edge.core.values import FrameFacts, Message, Track
from edge.report.listening import Inbox
from edge.service.arbiter import Arbiter
from edge.service.commands.desk import CommandDesk
from edge.service.doors import Errand
from edge.service.pipeline import Pipeline
from edge.service.publishing import Publishing
from edge.service.snapshots import Snapshots


class Kept:
    """An errand goes on as long as it would be made of the same."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, Errand | None]] = {}

    def of(self, name: str, made_of: object, make: Callable[[], Errand | None]) -> list[Errand]:
        """The one of this name, in a list; an empty one where there is none."""
        if name not in self._made or self._made[name][0] != made_of:
            self._made[name] = (made_of, make())
        errand = self._made[name][1]
        return [] if errand is None else [errand]


@dataclass(frozen=True, slots=True)
class Office:
    """Whom errands deal with."""

    arbiter: Arbiter
    outlet: Publishing
    inbox: Inbox
    clock: Clock


class Errands:
    """Belongs to the thread of the service."""

    def __init__(self, in_force: InForce, office: Office) -> None:
        self._in_force = in_force
        self._office = office
        self._kept = Kept()
        self._snapshots: Snapshots | None = None
        self._desk: CommandDesk | None = None

    def witness(self, occurrences: Iterable[Occurrence], tracks: tuple[Track, ...], frame: FrameFacts) -> None:
        """Shown what is told of each frame, and who is there."""
        if self._snapshots is not None:
            self._snapshots.witness(occurrences, tracks, frame)

    def of(self, pipelines: dict[str, Pipeline]) -> list[Errand]:
        """Those of the configuration in force."""
        plan, office = self._in_force.plan, self._office
        config, model, topics, settled = plan.config, plan.model, plan.topics, office.outlet.is_settled
        brain, clock = office.arbiter.brain, office.clock

        def announcer() -> Errand | None:
            return make_announcer(config, model, topics, clock=clock, is_settled=settled)

        def snapshots() -> Errand | None:
            self._snapshots = make_snapshots(config, model, topics, brain, clock)
            return self._snapshots

        kept = kept_by_broker(config, model, topics)
        return [
            *self._kept.of("leftovers", kept, lambda: make_leftovers(config, kept, topics, is_settled=settled)),
            *self._kept.of("announcer", (config.home_assistant, shown_device(config, model)), announcer),
            *self._kept.of("snapshots", (portrayals(config, model), brain), snapshots),
            *self._commands(pipelines),
        ]

    def _commands(self, pipelines: dict[str, Pipeline]) -> list[Errand]:
        plan, office, before = self._in_force.plan, self._office, self._desk
        self._desk = None
        if not plan.config.commands.enabled:
            return []
        parts = Adjustable(office.arbiter.brain, self._in_force.wanted, pipelines, office.arbiter.eyes)
        self._desk = make_desk(
            plan.config,
            parts,
            self._in_force.overrides,
            inbox=office.inbox,
            topics=plan.topics,
            clock=office.clock,
            tell_info=self.tell_info,
        )
        if before is not None:
            self._desk.go_on_from(before)
        return [self._desk]

    def tell_info(self) -> Message:
        """What this device is now."""
        return self._office.outlet.describe()
