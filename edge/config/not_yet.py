"""Keys that are read and checked, but that this version does not act on yet: a person who sets one is told."""

from __future__ import annotations

from edge.config.values import Config


def unused_settings(config: Config) -> list[str]:
    """The keys that the user set, that ask for something, and that have no effect yet."""
    return [] if config.health.prometheus is None else ["health.prometheus"]
