"""Pictures of a configuration: whose, of whom, and who must not be recognised in them."""

from __future__ import annotations

from edge.assemble.home_assistant import shown_labels
from edge.config.values import Config
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.report.topics import Topics
from edge.service.snapshots import Portrayal, Snapshots, Studio


def publishing_cameras(config: Config) -> tuple[str, ...]:
    return tuple(name for name, camera in config.cameras.items() if camera.snapshots.enabled)


def redacted_classes(config: Config, model: Model) -> dict[str, tuple[int, ...]]:
    """Of each camera that publishes pictures, by class id."""
    return {
        name: tuple(i for i, label in enumerate(model.labels) if label in config.cameras[name].snapshots.redact)
        for name in publishing_cameras(config)
    }


def portrayals(config: Config, model: Model) -> dict[str, Portrayal]:
    """What may be seen of each camera that publishes pictures."""
    cameras = {}
    for name in publishing_cameras(config):
        camera = config.cameras[name]
        wanted, labels = camera.snapshots, shown_labels(camera, model)
        cameras[name] = Portrayal(frozenset(wanted.redact), wanted.retain_hours, labels)
    return cameras


def make_snapshots(config: Config, model: Model, topics: Topics, studio: Studio, clock: Clock) -> Snapshots | None:
    """None where no camera publishes pictures."""
    cameras = portrayals(config, model)
    return Snapshots(cameras, studio, topics.snapshot, clock) if cameras else None
