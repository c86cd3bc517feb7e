"""Names that may stand in a topic: nothing that MQTT, a file system or Home Assistant reads as more than a name."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z0-9_-]{1,64}")
NAME_RULE = "1 to 64 of a-z, 0-9, _ and -"


def is_name(text: str) -> bool:
    return NAME.fullmatch(text) is not None


def label_slug(label: str) -> str:
    """A label as a topic level: "traffic light" -> "traffic_light"."""
    slug = re.sub(r"[^a-z0-9_-]+", "_", label.lower()).strip("_")
    return slug[:64] or "unnamed"
