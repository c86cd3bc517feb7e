"""What of a configuration the broker keeps, so that a later start can take it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.assemble.outbox import outbox_path
from edge.config.values import Camera, Config
from edge.core.model import Model
from edge.report.leftovers import Kept, Leftovers
from edge.report.topics import Topics

MEMORY = "retained.json"


def kept_by_broker(config: Config, model: Model, topics: Topics) -> dict[str, Kept]:
    """Of each camera."""
    return {name: _kept(camera, model, topics) for name, camera in config.cameras.items()}


def make_leftovers(
    config: Config, cameras: Mapping[str, Kept], topics: Topics, *, is_settled: Callable[[], bool]
) -> Leftovers:
    return Leftovers(cameras, topics, outbox_path(config).parent / MEMORY, is_settled=is_settled)


def _kept(camera: Camera, model: Model, topics: Topics) -> Kept:
    labels = camera.labels or tuple(dict.fromkeys(label for label in model.labels if label))
    return Kept(
        labels=tuple(topics.label(label) for label in labels),
        zones=tuple(camera.zones),
        lines=tuple(camera.lines),
        snapshots=camera.snapshots.enabled,
    )
