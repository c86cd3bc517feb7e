"""What Home Assistant shows of a device: one component per entity (docs/home-assistant.md).

The keys are Home Assistant's own (its MQTT integration, https://www.home-assistant.io/integrations/mqtt). What an
entity is called and listens to follows from the configuration alone, so that it stays the same over restarts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge.core.values import EventType
from edge.report import templates
from edge.report.topics import Topics

Component = dict[str, Any]

_DIAGNOSTIC = {"entity_category": "diagnostic"}
_MEASURED = {"state_class": "measurement"}
# What a rule can say; never a change of the camera or the model itself, nor a gap.
_OF_ITSELF = ("camera_", "accelerator_", "model_")
_ALERTS = tuple(
    kind.value
    for kind in EventType
    if kind not in (EventType.TRACK_UPDATE, EventType.GAP) and not kind.value.startswith(_OF_ITSELF)
)


@dataclass(frozen=True, slots=True)
class ShownCamera:
    """What there is to show of a camera.

    labels : those that get entities of their own, as the model calls them
    has_snapshots : whether its pictures are published
    """

    name: str
    labels: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    has_snapshots: bool = False


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """What there is to show of a device.

    edge : our version; model : the model's name
    takes_commands : whether switches, numbers and buttons would do something
    """

    edge: str
    model: str
    cameras: tuple[ShownCamera, ...]
    takes_commands: bool = False


def components(device: ShownDevice, topics: Topics) -> dict[str, Component]:
    """Component id -> what Home Assistant is told of it. Ids are of a-z, 0-9, _ and -."""
    made: dict[str, Component] = {}
    for entity in _all(device, topics):
        key = "_".join(entity.path)
        if key in made:  # camera "a", label "b c" beside camera "a_b", label "c"
            key += "_" + hashlib.sha256(".".join(entity.path).encode()).hexdigest()[:6]
        made[key] = _component(entity, key, topics)
    return made


@dataclass(frozen=True, slots=True)
class _Entity:
    """path : what tells it from all others of the device; no part has a dot in it."""

    platform: str
    path: tuple[str, ...]
    name: str
    keys: Component


def _component(entity: _Entity, key: str, topics: Topics) -> Component:
    object_id = f"{topics.device}_{key}".replace("-", "_")
    return {
        "platform": entity.platform,
        "unique_id": ".".join(("edge", topics.device, *entity.path)),
        "default_entity_id": f"{entity.platform}.{object_id}",
        "name": entity.name,
        **entity.keys,
    }


def _all(device: ShownDevice, topics: Topics) -> Iterator[_Entity]:
    yield from _of_device(device, topics)
    for camera in device.cameras:
        yield from _of_camera(camera, topics)
        for label in dict.fromkeys(camera.labels):
            yield from _of_label(camera, label, topics)
        for line in camera.lines:
            yield from _of_line(camera, line, topics)
        if device.takes_commands:
            yield from _controls(camera, topics)


def _of_device(device: ShownDevice, topics: Topics) -> Iterator[_Entity]:
    health = {"state_topic": topics.health(), **_DIAGNOSTIC}
    yield _Entity(
        "binary_sensor",
        ("problem",),
        "Problem",
        {
            **health,
            "device_class": "problem",
            "value_template": templates.PROBLEM,
            "json_attributes_topic": topics.health(),
            "json_attributes_template": templates.REASONS,
        },
    )
    yield _Entity(
        "sensor",
        ("temperature",),
        "Temperature",
        {
            **health,
            **_MEASURED,
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "value_template": templates.TEMPERATURE,
        },
    )
    yield _Entity(
        "sensor",
        ("inference",),
        "Inference time",
        {
            **health,
            **_MEASURED,
            "device_class": "duration",
            "unit_of_measurement": "ms",
            "value_template": templates.INFERENCE,
        },
    )
    yield _Entity(
        "sensor",
        ("dropped",),
        "Dropped",
        {**health, "state_class": "total_increasing", "value_template": templates.DROPPED},
    )
    if device.takes_commands:
        keys = {"command_topic": topics.command("self-test"), "payload_press": templates.SELF_TEST, "qos": 1}
        yield _Entity("button", ("self-test",), "Self-test", {**keys, **_DIAGNOSTIC})


def _of_camera(camera: ShownCamera, topics: Topics) -> Iterator[_Entity]:
    name, status = camera.name, topics.camera_status(camera.name)
    yield _Entity(
        "binary_sensor",
        (name, "connectivity"),
        f"{name} connection",
        {
            "state_topic": status,
            "device_class": "connectivity",
            "value_template": templates.CONNECTED,
            "json_attributes_topic": status,
            "json_attributes_template": templates.STATUS,
            **_DIAGNOSTIC,
        },
    )
    yield _Entity(
        "sensor",
        (name, "fps"),
        f"{name} frames per second",
        {
            "state_topic": topics.health(),
            "unit_of_measurement": "fps",
            "value_template": templates.frame_rate(name),
            **_seen_only(camera, topics),
            **_MEASURED,
            **_DIAGNOSTIC,
        },
    )
    # News, not a state: were it unavailable with the camera, its return would look like an alert to an automation.
    keys = {"state_topic": topics.event(name), "value_template": templates.ALERT, "event_types": list(_ALERTS)}
    yield _Entity("event", (name, "alerts"), f"{name} alerts", {**keys, "device_class": "motion", "qos": 1})


def _of_label(camera: ShownCamera, label: str, topics: Topics) -> Iterator[_Entity]:
    name, slug, seen = camera.name, topics.label(label), _seen_only(camera, topics)
    yield from _counted((name, slug), f"{name} {label}", topics.count(name, label), seen)
    for zone in camera.zones:
        topic = topics.zone_count(name, zone, label)
        yield from _counted((name, "zone", zone, slug), f"{name} {zone} {label}", topic, seen)
    if camera.has_snapshots:
        keys = {"image_topic": topics.snapshot(name, label), "content_type": "image/jpeg", **seen}
        yield _Entity("image", (name, slug, "snapshot"), f"{name} {label} picture", keys)


def _counted(path: tuple[str, ...], name: str, topic: str, seen: Component) -> Iterator[_Entity]:
    yield _Entity(
        "binary_sensor",
        (*path, "occupancy"),
        f"{name} occupancy",
        {"state_topic": topic, "device_class": "occupancy", "value_template": templates.OCCUPIED, **seen},
    )
    yield _Entity("sensor", (*path, "count"), f"{name} count", {"state_topic": topic, **_MEASURED, **seen})


def _of_line(camera: ShownCamera, line: str, topics: Topics) -> Iterator[_Entity]:
    for direction in ("in", "out"):
        keys = {
            "state_topic": topics.line(camera.name, line),
            "state_class": "total_increasing",
            "value_template": templates.crossings(direction),
            "qos": 1,
            **_seen_only(camera, topics),
        }
        path = (camera.name, "line", line, direction)
        yield _Entity("sensor", path, f"{camera.name} {line} {direction}", keys)


def _controls(camera: ShownCamera, topics: Topics) -> Iterator[_Entity]:
    name = camera.name
    yield _Entity(
        "switch",
        (name, "enabled"),
        f"{name} enabled",
        {
            "command_topic": topics.command("camera"),
            "payload_on": templates.enable(name, enabled=True),
            "payload_off": templates.enable(name, enabled=False),
            "state_topic": topics.camera_status(name),
            "value_template": templates.ENABLED,
            "state_on": "ON",
            "state_off": "OFF",
            "qos": 1,
            "entity_category": "config",
        },
    )
    for label in dict.fromkeys(camera.labels):
        yield _Entity(
            "number",
            (name, topics.label(label), "threshold"),
            f"{name} {label} threshold",
            {
                "command_topic": topics.command("threshold"),
                "command_template": templates.set_threshold(name, label),
                "state_topic": topics.info(),
                "value_template": templates.threshold(name, label),
                "min": 0.05,
                "max": 1.0,
                "step": 0.01,
                "mode": "box",
                "qos": 1,
                "entity_category": "config",
            },
        )


def _seen_only(camera: ShownCamera, topics: Topics) -> Component:
    """What says something about now is unknown while the device or the camera is away."""
    return {
        "availability": [
            {"topic": topics.status()},
            {"topic": topics.camera_status(camera.name), "value_template": templates.AVAILABLE},
        ],
        "availability_mode": "all",
    }
