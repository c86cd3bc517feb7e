"""What was meant by a key that does not exist, and by a single value where a section belongs."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

import msgspec

from edge.config import values
from edge.config.nodes import Node, Scalar
from edge.config.problems import shown_text
from edge.core.likeness import like

# Words other programs use; the right one is told if the section has it.
_SYNONYMS = {
    "server": "host", "address": "host", "hostname": "host", "ip": "host", "url": "source", "user": "username",
    "login": "username", "pass": "password", "passwd": "password", "cert": "certificate", "certfile": "certificate",
    "cafile": "ca", "ca_file": "ca", "keyfile": "key", "ssl": "tls", "mqtt": "broker", "name": "device",
    "id": "device", "input": "source", "device": "source", "path": "source", "file": "source",
    "framerate": "fps", "frame_rate": "fps", "rate": "fps", "resolution": "size", "rotation": "rotate",
    "angle": "rotate", "threshold": "thresholds", "confidence": "thresholds", "objects": "labels", "classes": "labels",
    "class": "label", "object": "label", "camera": "cameras", "type": "when", "event": "when", "duration": "seconds",
    "time": "schedule", "hours": "schedule", "mask": "ignore", "masks": "ignore", "privacy": "redact",
    "detector": "accelerator", "num_threads": "threads", "detections": "publish_detections", "start": "from",
    "end": "to", "tz": "timezone", "time_zone": "timezone", "area": "sizes", "way": "direction",
    "min_size": "min_area", "max_size": "max_area", "position": "anchor", "database": "path",
    "size_mb": "max_megabytes", "motion": "motion_gate", "homeassistant": "home_assistant",
}  # fmt: skip

# The key that a single value in the section's place is most likely meant for.
_MAIN_KEYS: dict[type[msgspec.Struct], str] = {
    values.Camera: "source",
    values.HomeAssistant: "enabled",
    values.Snapshots: "enabled",
    values.MotionGate: "enabled",
    values.Health: "interval_seconds",
    values.Outbox: "path",
    values.Rule: "when",
    values.Tls: "ca",
}

_PLACES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("", values.Config),
    ("broker.", values.Broker),
    ("broker.tls.", values.Tls),
    ("cameras.NAME.", values.Camera),
    ("cameras.NAME.snapshots.", values.Snapshots),
    ("cameras.NAME.rules.NAME.", values.Rule),
    ("home_assistant.", values.HomeAssistant),
    ("health.", values.Health),
    ("outbox.", values.Outbox),
)


@functools.cache
def keys_of(section: type[msgspec.Struct]) -> Mapping[str, str]:
    """Key in the file -> field of the Struct."""
    names = zip(section.__struct_encode_fields__, section.__struct_fields__, strict=True)
    return {key: name for key, name in names if key != "origin"}


def explain_unknown_key(key: str, section: type[msgspec.Struct]) -> str:
    """The message for a key that the section does not have."""
    known = list(keys_of(section))
    meant = _meant(key, known)
    if meant:
        return f"there is no such key; did you mean {meant}?"
    elsewhere = [place + key for place, other in _PLACES if other is not section and key in keys_of(other)]
    if elsewhere:
        return f"there is no such key here; it belongs to {elsewhere[0]}"
    return f"there is no such key; known here: {', '.join(known)}"


def _meant(key: str, known: list[str]) -> str | None:
    word = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key[:60]).lower()).strip("_")
    if word in known:
        return word
    longer = [name for name in known if name.startswith(f"{word}_") or name.endswith(f"_{word}")]
    if len(longer) == 1:
        return longer[0]
    synonym = _SYNONYMS.get(word)
    if synonym in known:
        return synonym
    unitless = re.sub(r"_(s|sec|secs|ms|min|minutes|h|hours|mb|seconds|megabytes)$", "", word)
    near = like(word, known, cutoff=0.7) or [
        name for name in known if name.startswith(unitless) and unitless and unitless != word
    ]
    return near[0] if near else None


def explain_section(section: type[msgspec.Struct], node: Node, name: str) -> str:
    """What to write where a section belongs and something else stands; empty when it can't be told."""
    if not isinstance(node, Scalar):
        return "" if section is not values.Camera else "each camera has a name: write `yard: {source: ...}`"
    if section is values.Camera and name in keys_of(values.Camera):
        return f"give the camera a name first: `cameras: {{yard: {{{name}: ...}}}}`"
    if section is values.Tls and node.text.lower() in ("true", "yes", "on"):
        return "write `tls: {}` to trust the system's certificate authorities, or name yours with `ca`"
    if section is values.Broker:
        return "write {host: NAME, port: 1883}"
    main = _MAIN_KEYS.get(section)
    return f"write {{{main}: {shown_text(node.text).strip(chr(39))}}}" if main else ""
