"""The state lane: what the device and its cameras are now. Retained, only the last value matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from edge.core.values import Message, ModelRef
from edge.report.topics import Topics

SCHEMA = 1
ONLINE = b"online"
OFFLINE = b"offline"
_LONGEST_REFUSAL = 2000  # characters; the journal has the rest

_encode = msgspec.json.Encoder().encode


class CameraState(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    FROZEN = "frozen"
    IMPAIRED = "impaired"
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
class FileStanding:
    """The configuration file as it was read last, against what is in force.

    refused : its mistakes, one a line; None = it is in force
    restart : keys whose value takes effect at the next restart
    """

    refused: str | None = None
    restart: tuple[str, ...] = ()


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
    file: FileStanding = FileStanding()


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
    """One camera.

    fps : frames per second over the last interval, looked at or held; None before the first
    reasons : codes of what is wrong with what it shows, worst first
    spared : part of the frames, 0..1, that the motion gate kept from the model; None where it is off
    """

    name: str
    state: CameraState
    fps: float | None = None
    reasons: tuple[str, ...] = ()
    spared: float | None = None


@dataclass(frozen=True, slots=True)
class Care:
    """What is done without to spare the machine, and what was promised all the same.

    frame_rate : part of the usual one, 0..1
    gate_tightness : so many times more must change than usual
    causes : why; empty while nothing is done without
    promised : promise -> its figure, None = not promised
    broken : the promises that are not kept
    """

    frame_rate: float = 1.0
    gate_tightness: float = 1.0
    smaller_model: bool = False
    causes: tuple[str, ...] = ()
    promised: Mapping[str, float | None] = field(default_factory=dict)
    broken: tuple[str, ...] = ()


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
    care: Care = field(default_factory=Care)
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
        "configuration": {
            "refused": None if info.file.refused is None else info.file.refused[:_LONGEST_REFUSAL],
            "restart": info.file.restart,
        },
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
            {
                "name": camera.name,
                "state": camera.state.value,
                "fps": _tenths(camera.fps),
                "reasons": camera.reasons,
                "spared": None if camera.spared is None else round(camera.spared, 3),
            }
            for camera in health.cameras
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
        "restraint": _restraint(health.care),
        "contract": _contract(health.care),
    }
    return Message(topics.health(), _encode(payload), qos=0, retain=True)


def _restraint(care: Care) -> dict[str, Any]:
    return {
        "frame_rate": care.frame_rate,
        "gate_tightness": care.gate_tightness,
        "smaller_model": care.smaller_model,
        "causes": care.causes,
    }


def _contract(care: Care) -> dict[str, Any]:
    promised = {promise: figure for promise, figure in care.promised.items() if figure is not None}
    return {promise: {"promised": figure, "kept": promise not in care.broken} for promise, figure in promised.items()}


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
