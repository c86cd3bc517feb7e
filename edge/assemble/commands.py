"""What of a running service can be changed by command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.assemble.home_assistant import shown_labels
from edge.assemble.outbox import outbox_path
from edge.config.values import Config
from edge.core.errors import ConfigError
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.listening import Inbox
from edge.report.states import CameraSettings
from edge.report.topics import Topics
from edge.service.brains import Brains
from edge.service.commands.audit import AuditTrail
from edge.service.commands.bucket import TokenBucket
from edge.service.commands.camera import CameraCommand
from edge.service.commands.desk import CommandDesk
from edge.service.commands.overrides import Overrides
from edge.service.commands.self_test import SelfTestCommand
from edge.service.commands.threshold import ThresholdCommand
from edge.service.eye import Eye
from edge.service.pipeline import Pipeline
from edge.track.wanted import Wanted, lowest_score

OVERRIDES = "commands.json"
AUDIT = "commands.jsonl"
_BURST = 10


@dataclass(frozen=True, slots=True)
class Adjustable:
    """The parts of a running service that commands reach.

    wanted : by camera
    """

    brain: Brains
    wanted: Mapping[str, Wanted]
    pipelines: Mapping[str, Pipeline]
    eyes: Mapping[str, Eye]

    def tune(self, camera: str, thresholds: Mapping[str, float]) -> None:
        """Put a camera's changed thresholds in force; the model serves all cameras, so it follows the lowest."""
        wanted = self.wanted[camera]
        wanted.override(thresholds)
        self.pipelines[camera].change_start_scores(wanted.start_scores)
        self.brain.tune(lowest_score(self.wanted.values()))


def open_overrides(config: Config, wanted: Mapping[str, Wanted]) -> Overrides:
    """What commands changed in earlier runs; nothing where commands are off: then the configuration file says all."""
    overrides = Overrides(outbox_path(config).parent / OVERRIDES)
    if config.commands.enabled:
        overrides.open({name: frozenset(each.scores) for name, each in wanted.items()})
        for name, each in wanted.items():
            each.override(overrides.of(name).thresholds)
    return overrides


def camera_settings(config: Config, model: Model, wanted: Mapping[str, Wanted], overrides: Overrides) -> Settings:
    """What ``info`` says of the settings; None where commands are off."""
    if not config.commands.enabled:
        return None
    return tuple(
        CameraSettings(
            name,
            enabled=overrides.of(name).enabled is not False,
            thresholds=_told(wanted[name].scores, {*shown_labels(camera, model), *overrides.of(name).thresholds}),
            changed=overrides.of(name).changed,
        )
        for name, camera in config.cameras.items()
    )


Settings = tuple[CameraSettings, ...] | None


def make_desk(
    config: Config,
    parts: Adjustable,
    overrides: Overrides,
    *,
    inbox: Inbox,
    topics: Topics,
    clock: Clock,
    tell_info: Callable[[], Message],
) -> CommandDesk:
    """Raises ConfigError when nothing can be written down."""
    labels = {name: frozenset(each.scores) for name, each in parts.wanted.items()}
    return CommandDesk(
        [
            CameraCommand(parts.eyes, overrides),
            ThresholdCommand(labels, overrides, parts.tune),
            SelfTestCommand(parts.brain, clock, lambda: {name: _state(each) for name, each in parts.eyes.items()}),
        ],
        inbox=inbox,
        topics=topics,
        bucket=TokenBucket(config.commands.per_minute, _BURST, clock),
        audit=_open_audit(config, clock),
        changed=tell_info,
    )


def _open_audit(config: Config, clock: Clock) -> AuditTrail:
    file = outbox_path(config).parent / AUDIT
    audit = AuditTrail(file, clock)
    try:
        audit.open()
    except OSError as error:
        raise ConfigError(
            f"{config.origin.file}: commands: every command is written down in {file}, and that can't be written "
            f"({error.strerror or error}); set outbox.path to a file in a folder that edge may write to"
        ) from error
    return audit


def _told(scores: Mapping[str, float], labels: set[str]) -> dict[str, float]:
    return {label: score for label, score in scores.items() if label in labels}


def _state(eye: Eye) -> str:
    return "starting" if eye.state is None else eye.state.value
