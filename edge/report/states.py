"""The state lane: what the device and its cameras are now. Retained, only the last value matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from edge.core.values import Message, ModelRef
from edge.report.topics import Topics

SCHEMA = 1
ONLINE = b"online"
OFFLINE = b"offline"

_encode = msgspec.json.Encoder().encode


class CameraState(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    FROZEN = "frozen"
    DISABLED = "disabled"


class Delivery(StrEnum):
    """How far an event is promised to come.

    MEMORY : kept in memory until the broker has acknowledged it; a restart of the device loses what is waiting
    ACKNOWLEDGED : kept on disk until the broker has acknowledged it
    CONFIRMED : kept on disk until the consumer's cursor confirms it
    """

    MEMORY = "memory"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"


class HealthState(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Privacy:
    """The manifest of what can leave the device.

    detections : cameras that publish every box of every frame
    snapshots : cameras that publish pictures (redacted)
    """

    detections: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """What holds for a camera where commands may change it.

    thresholds : label -> the score from which it counts
    changed : keys whose value is not the configuration file's, such as ``thresholds.person``
    """

    name: str
    enabled: bool
    thresholds: Mapping[str, float]
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What runs here.

    edge, python : versions
    runtime : name and version of the inference library, None before one is loaded
    cameras : their names; never their addresses, which may hold passwords
    settings : None where commands are off and the configuration file says all
    """

    edge: str
    python: str
    runtime: str | None
    model: ModelRef | None
    backend: str
    cameras: tuple[str, ...]
    delivery: Delivery = Delivery.MEMORY
    privacy: Privacy = Privacy()
    settings: tuple[CameraSettings, ...] | None = None


@dataclass(frozen=True, slots=True)
class StageLatency:
    """Milliseconds of one stage over the last interval; ``stage`` is capture, preprocess, infer, decode or total."""

    stage: str
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class DropCount:
    """What was dropped since start, by cause, such as ``frame_newer`` or ``message_overflow``."""

    cause: str
    count: int


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """fps : frames per second that went through the model over the last interval; None before the first."""

    name: str
    state: CameraState
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How it goes; None everywhere means unknown, not zero.

    reasons : codes in lower case, such as ``camera_offline``; empty when ``state`` is ok
    throttled : what the firmware reports, such as ``under_voltage``; empty = nothing, None = no such report here
    backend : what runs the model; accelerator : in_use, away or on_trial, None = there is none to be used
    """

    state: HealthState
    reasons: tuple[str, ...] = ()
    wall_ms: int = 0
    uptime_s: int = 0
    cameras: tuple[CameraHealth, ...] = ()
    latency: tuple[StageLatency, ...] = ()
    drops: tuple[DropCount, ...] = ()
    temperature_c: float | None = None
    throttled: tuple[str, ...] | None = None
    disk_free_mb: int | None = None
    clock_synced: bool | None = None
    outbox_depth: int | None = None
    backend: str = "cpu"
    accelerator: str | None = None


def online_message(topics: Topics) -> Message:
    """Plain text, so that Home Assistant needs no template."""
    return Message(topics.status(), ONLINE, qos=1, retain=True)


def offline_message(topics: Topics) -> Message:
    """The last will, and what a clean stop says itself."""
    return Message(topics.status(), OFFLINE, qos=1, retain=True)


def camera_message(topics: Topics, camera: str, state: CameraState) -> Message:
    return Message(topics.camera_status(camera), state.value.encode(), qos=1, retain=True)


def info_message(topics: Topics, info: DeviceInfo) -> Message:
    payload: dict[str, Any] = {
        "schema": SCHEMA,
        "device": topics.device,
        "software": {"edge": info.edge, "python": info.python, "runtime": info.runtime},
        "model": None if info.model is None else {"name": info.model.name, "sha256": info.model.sha256},
        "backend": info.backend,
        "cameras": info.cameras,
        "delivery": info.delivery.value,
        "privacy": {"detections": info.privacy.detections, "snapshots": info.privacy.snapshots},
        "settings": None if info.settings is None else {"cameras": _settings(info.settings)},
    }
    return Message(topics.info(), _encode(payload), qos=1, retain=True)


def _settings(cameras: tuple[CameraSettings, ...]) -> dict[str, Any]:
    return {
        camera.name: {
            "enabled": camera.enabled,
            "thresholds": {label: round(score, 4) for label, score in camera.thresholds.items()},
            "changed": camera.changed,
        }
        for camera in cameras
    }


def health_message(topics: Topics, health: Health) -> Message:
    """QoS 0: the next one comes soon."""
    payload: dict[str, Any] = {
        "schema": SCHEMA,
        "device": topics.device,
        "state": health.state.value,
        "reasons": health.reasons,
        "time": {"wall_ms": health.wall_ms, "synced": health.clock_synced},
        "uptime_s": health.uptime_s,
        "cameras": [
            {"name": camera.name, "state": camera.state.value, "fps": _tenths(camera.fps)} for camera in health.cameras
        ],
        "latency_ms": {
            each.stage: {"p50": _tenths(each.p50_ms), "p95": _tenths(each.p95_ms)} for each in health.latency
        },
        "backend": health.backend,
        "accelerator": health.accelerator,
        "drops": {each.cause: each.count for each in health.drops},
        "temperature_c": _tenths(health.temperature_c),
        "throttled": health.throttled,
        "disk_free_mb": health.disk_free_mb,
        "outbox_depth": health.outbox_depth,
    }
    return Message(topics.health(), _encode(payload), qos=0, retain=True)


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
