"""A configuration to all that is to be known before anything runs: what each process is told, and what is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge.assemble.brains import LineUp
from edge.assemble.broker import detector_setup, publisher_setup
from edge.assemble.orders import InferOrder
from edge.assemble.outbox import outbox_path, volatile_path
from edge.assemble.rules import make_wanted
from edge.assemble.sight import make_captures, make_infer_order, make_lookouts
from edge.config.values import Config
from edge.core.model import Model
from edge.report.topics import Topics
from edge.service.capture import Capture
from edge.service.letters import Setup
from edge.service.lookout import LookoutSettings
from edge.track.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Plan:
    """Two plans are compared part by part: what is equal goes on.

    wanted : as the file says; what commands have changed comes on top
    infer : what the model's process is told; thresholds reach it otherwise
    smaller : what is in force while the model's smaller sister works; None = there is none
    setup : what the publisher is told
    """

    config: Config
    line: LineUp
    topics: Topics
    wanted: Mapping[str, Wanted]
    captures: tuple[Capture, ...]
    lookouts: Mapping[str, LookoutSettings]
    infer: InferOrder
    setup: Setup
    outbox: Path
    volatile: Path | None
    smaller: Plan | None = None

    @property
    def model(self) -> Model:
        """Whose labels and thresholds count."""
        return self.line.model


def make_plan(config: Config, line: LineUp, *, sister: Model | None = None, has_own_publisher: bool) -> Plan:
    """Raises ConfigError for what a person has to mend; ``sister`` : the model's smaller one."""
    outbox = outbox_path(config)
    volatile = volatile_path(outbox)
    make_setup = publisher_setup if has_own_publisher else detector_setup
    plan = Plan(
        config,
        line,
        topics=Topics(config.device, line.model.labels),
        wanted=_wanted(config, line.model),
        captures=make_captures(config, line.model.layout.input),
        lookouts=make_lookouts(config),
        infer=make_infer_order(config, line),
        setup=make_setup(config, outbox=outbox, volatile=volatile),
        outbox=outbox,
        volatile=volatile,
    )
    return plan if sister is None else replace(plan, smaller=_with_less(plan, sister))


def _with_less(plan: Plan, sister: Model) -> Plan:
    """All that another model changes: whose input pictures are made small for, and its own threshold."""
    config, line = plan.config, plan.line.with_less(sister)
    return replace(
        plan,
        line=line,
        wanted=_wanted(config, line.model),
        captures=make_captures(config, line.model.layout.input),
        infer=make_infer_order(config, line),
    )


def _wanted(config: Config, model: Model) -> dict[str, Wanted]:
    return {name: make_wanted(name, camera, model) for name, camera in config.cameras.items()}
