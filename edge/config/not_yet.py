"""Keys that are read and checked, but that this version does not act on yet: a person who sets one is told."""

from __future__ import annotations

from collections.abc import Iterator

from edge.config.problems import join_key
from edge.config.values import Camera, Config


def unused_settings(config: Config) -> list[str]:
    """The keys that the user set, that ask for something, and that have no effect yet."""
    keys = [
        join_key(join_key("cameras", name), key) for name, camera in config.cameras.items() for key in _asked(camera)
    ]
    if config.health.prometheus is not None:
        keys.append("health.prometheus")
    return keys


def _asked(camera: Camera) -> Iterator[str]:
    if camera.redact:
        yield "redact"
    if camera.snapshots.enabled:
        yield "snapshots"
