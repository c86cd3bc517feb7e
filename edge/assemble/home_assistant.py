"""What of a configuration Home Assistant is shown."""

from __future__ import annotations

from collections.abc import Callable

from edge import __version__
from edge.assemble.outbox import outbox_path
from edge.config.values import Camera, Config
from edge.core.looking import is_file
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.report.announcer import Announcer
from edge.report.discovery import Discovery
from edge.report.entities import ShownCamera, ShownDevice
from edge.report.topics import Topics

MEMORY = "home-assistant.json"
# A model of 80 labels with a few zones would be a thousand entities that nobody asked for.
_MOST_LABELS = 16


def make_announcer(
    config: Config, model: Model, topics: Topics, *, clock: Clock, is_settled: Callable[[], bool]
) -> Announcer | None:
    """None where Home Assistant is not told anything, and never was."""
    file = outbox_path(config).parent / MEMORY
    if not config.home_assistant.enabled:
        return Announcer(None, file, clock=clock, is_settled=is_settled) if is_file(file) else None
    discovery = Discovery(shown_device(config, model), topics, config.home_assistant.prefix)
    return Announcer(discovery, file, clock=clock, is_settled=is_settled)


def shown_labels(camera: Camera, model: Model) -> tuple[str, ...]:
    """The labels of a camera that a person wants to see one by one.

    Those it lets through; where it lets all of a large model through, those that its thresholds and rules name.
    """
    if camera.labels:
        return camera.labels
    known = tuple(dict.fromkeys(label for label in model.labels if label))
    if len(known) <= _MOST_LABELS:
        return known
    named = {*camera.thresholds, *(rule.label for rule in camera.rules.values())}
    return tuple(label for label in known if label in named)


def shown_device(config: Config, model: Model) -> ShownDevice:
    """All that Home Assistant is shown."""
    cameras = tuple(
        ShownCamera(
            name,
            labels=shown_labels(camera, model),
            zones=tuple(camera.zones),
            lines=tuple(camera.lines),
            has_snapshots=camera.snapshots.enabled,
        )
        for name, camera in config.cameras.items()
    )
    return ShownDevice(__version__, model.name, cameras, takes_commands=config.commands.enabled)
