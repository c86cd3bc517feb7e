"""The configuration file as it is now, against the one in force: what differs, and how it is put in force."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from edge.assemble.brains import LineUp, line_up
from edge.assemble.examination import examine_config
from edge.assemble.plan import Plan, make_plan
from edge.assemble.safe_mode import Start
from edge.assemble.sister import find_sister
from edge.config.load import parse_config, read_bounded
from edge.config.problems import BadConfigError
from edge.config.values import Config
from edge.core.errors import ConfigError
from edge.core.model import Model
from edge.service.capture import Capture

logger = logging.getLogger(__name__)

NOTHING = "nothing has changed"


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration that was read and found good.

    restart : keys whose value takes effect at the next restart; in ``plan`` stands the one that is in force
    """

    plan: Plan
    content: bytes
    restart: tuple[str, ...]

    def is_same(self, before: Plan) -> bool:
        """Whether all goes on as it is."""
        now = self.plan
        return (
            replace(now.config, origin=before.config.origin) == before.config
            and not self.has_other_brains(before)
            and not self.has_other_sister(before)
            and now.setup == before.setup
        )

    def has_other_brains(self, before: Plan) -> bool:
        """Whether the model's process has to be another one."""
        return _brains(self.plan) != _brains(before)

    def has_other_sister(self, before: Plan) -> bool:
        """The same of the model's smaller sister."""
        return _brains(self.plan.smaller) != _brains(before.smaller)

    def summary(self, before: Plan) -> str:
        """What becomes another, for a person."""
        changes = [] if self.is_same(before) else list(_changes(before, self.plan))
        if self.restart:
            changes.append(f"{', '.join(self.restart)}: takes effect at the next restart")
        return "; ".join(changes) or NOTHING


def read_draft(file: Path, start: Start, in_force: Plan, *, has_own_publisher: bool) -> Draft:
    """The file as it is now.

    Raises
    ------
    ConfigError
        With all mistakes in it, as ``edge check`` tells them.
    """
    content = read_bounded(file)
    if start.verdict.is_loop and content == start.content:
        raise ConfigError(f"{file}: this is what does not keep running; what ran well before stays in force")
    config, restart = _with_what_stays(parse_config(content, file), in_force.config)
    lines: list[LineUp] = []

    def find_model(config: Config) -> Model:
        lines.append(line_up(config))
        return lines[0].model

    findings = examine_config(config, find_model)
    for warning in findings.warnings:
        logger.warning("%s", warning)
    if findings.problems:
        raise BadConfigError(str(file), findings.problems)
    sister = find_sister(config, lines[0].model)
    return Draft(make_plan(config, lines[0], sister=sister, has_own_publisher=has_own_publisher), content, restart)


def can_be_tried(before: Plan, now: Plan) -> bool:
    """Whether a model's process can run beside the one before: an accelerator belongs to one process."""
    return before.line.accelerated is None and now.line.accelerated is None


def _with_what_stays(config: Config, before: Config) -> tuple[Config, tuple[str, ...]]:
    """The device's name stands in every topic and event, and the outbox's file is open: both stay for this run."""
    found = {
        "device": config.device != before.device,
        "outbox.path": config.outbox.path != before.outbox.path,
    }
    outbox = replace(config.outbox, path=before.outbox.path)
    stays = replace(config, device=before.device, outbox=outbox)
    return stays, tuple(key for key, differs in found.items() if differs)


def _brains(plan: Plan | None) -> tuple[object, ...]:
    """What the model's process is made of."""
    return () if plan is None else (*_versions(plan.line), plan.infer)


def _versions(line: LineUp) -> tuple[object, ...]:
    return line.accelerated, line.cpu, line.stock.reasons


def _changes(before: Plan, now: Plan) -> Iterator[str]:
    cameras, others = now.config.cameras, before.config.cameras
    captures = {each.camera: each for each in before.captures}
    for capture in now.captures:
        name = capture.camera
        if name not in others:
            yield f"camera {name} comes"
        elif _process(captures[name]) != _process(capture):
            yield f"camera {name} is opened anew"
        elif cameras[name] != others[name]:
            yield f"camera {name}: {', '.join(_keys(others[name], cameras[name]))}"
    yield from (f"camera {name} goes" for name in others if name not in cameras)
    if _brains(now) != _brains(before):
        yield f"model {now.model.name} in a new process"
    if now.setup != before.setup:
        yield "the publisher connects anew"
    yield from (key for key in _keys(before.config, now.config) if key not in ("cameras", "origin"))


def _process(capture: Capture) -> Capture:
    """Without what can be changed while it runs."""
    return dataclasses.replace(capture, look=b"")


def _keys(before: msgspec.Struct, now: msgspec.Struct) -> list[str]:
    """The fields that differ."""
    return [name for name in now.__struct_fields__ if getattr(before, name) != getattr(now, name)]
