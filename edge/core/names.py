"""Names that may stand in a topic: nothing that MQTT, a file system or Home Assistant reads as more than a name."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

NAME = re.compile(r"[a-z0-9_-]{1,64}")
NAME_RULE = "1 to 64 of a-z, 0-9, _ and -"
_LONGEST = 64
_MARK = 6
_UNNAMED = "unnamed"


def is_name(text: str) -> bool:
    return NAME.fullmatch(text) is not None


def label_slug(label: str) -> str:
    """A label as a topic level: "traffic light" -> "traffic_light"."""
    slug = re.sub(r"[^a-z0-9_-]+", "_", label.lower()).strip("_")
    return slug[:_LONGEST] or _UNNAMED


def label_slugs(labels: Iterable[str]) -> dict[str, str]:
    """Labels as topic levels, each its own.

    Labels whose slugs are the same, such as "traffic light" and "traffic-light?", and those of which no letter is left
    get six digits of their hash behind it, so that what one is called follows from who shares its slug, not from
    their order. A label that is its slug, to the letter, keeps it.
    """
    plain = {label: label_slug(label) for label in labels}
    shared = Counter(plain.values())
    return {
        label: slug if label == slug or (shared[slug] == 1 and slug != _UNNAMED) else _marked(label, slug)
        for label, slug in plain.items()
    }


def _marked(label: str, slug: str) -> str:
    mark = hashlib.sha256(label.encode()).hexdigest()[:_MARK]
    return f"{slug[: _LONGEST - _MARK - 1]}-{mark}"
