"""What happened and what was seen, as the contract's JSON (docs/messages.md).

Numbers on the wire: boxes, scores and a rule's ``why`` have 4 digits (0.4 of a pixel on a frame of 4000 pixels), times
are whole milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from edge.core.events import (
    Event,
    EventMessage,
    EventTime,
    LineCount,
    LineCrossing,
    LostEvents,
    Reason,
    RuleHit,
    Standing,
)
from edge.core.values import Detections, FrameSize, Message, ModelRef, StageTimes, Track
from edge.report.topics import Topics

SCHEMA = 1
DETECTIONS_EXPIRY_S = 2  # a box older than this says nothing about now
_DIGITS = 4
_NS_PER_MS = 1_000_000

_encode = msgspec.json.Encoder().encode


def event_message(event: Event, topics: Topics) -> EventMessage:
    """One event, QoS 1, not retained.

    ``track`` facts are null where nothing was tracked; ``box`` also where the frame's size is unknown.
    """
    occurrence = event.occurrence
    payload: dict[str, Any] = {
        "schema": SCHEMA,
        "device": event.id.device,
        "epoch": event.id.epoch,
        "seq": event.id.seq,
        "type": occurrence.type.value,
        "camera": event.camera,
        **_track_facts(occurrence.track, event.frame, occurrence.happened_ns, event.label),
        "zones": occurrence.zones,
        "line": _line(occurrence.line),
        "rule": _rule(occurrence.rule),
        "time": _time(event.time),
        "frame": _frame(event.frame),
        "model": _model(event.model),
        "backend": event.backend,
        "latency_ms": _latency(event.latency),
        **({} if event.lost is None else {"lost": _lost(event.lost)}),
        **({} if occurrence.reason is None else {"reason": occurrence.reason}),
        "snapshot": None,
        "replayed": event.replayed,  # last: the publisher changes it without reading the rest
    }
    return EventMessage(
        topics.event(event.camera),
        _encode(payload),
        qos=1,
        id=event.id,
        severity=event.severity,
        camera=event.camera,
        label=payload["label"] or "",
        happened_wall_ms=event.time.wall_ms,
    )


def detections_message(
    topics: Topics,
    camera: str,
    *,
    detections: Detections,
    labels: Sequence[str],
    frame: FrameSize,
    time: EventTime,
    model: ModelRef,
    backend: str = "cpu",
    latency: StageTimes,
) -> Message:
    """All boxes of one frame, best first; QoS 0, and the broker forgets it after 2 s.

    Parameters
    ----------
    detections : in source-frame pixels, as everywhere outside ``infer/``
    labels : ``labels[class_id]``; a class without a label is told as ``class_<id>``
    frame : of the frame the boxes belong to
    """
    payload = {
        "schema": SCHEMA,
        "device": topics.device,
        "camera": camera,
        "frame": _frame(frame),
        "time": _time(time),
        "model": _model(model),
        "backend": backend,
        "detections": _seen(detections, labels, frame),
        "latency_ms": _latency(latency),
    }
    return Message(topics.detections(camera), _encode(payload), qos=0, expiry_s=DETECTIONS_EXPIRY_S)


def standing_message(standing: Standing, topics: Topics, camera: str) -> Message:
    """A count of things, plain text, QoS 0; or the counts of a line, JSON, QoS 1. Retained."""
    if isinstance(standing, LineCount):
        counts = {"in": standing.entered, "out": standing.left, "since": standing.since_ms}
        return Message(topics.line(camera, standing.line), _encode(counts), qos=1, retain=True)
    if standing.zone is None:
        topic = topics.count(camera, standing.label)
    else:
        topic = topics.zone_count(camera, standing.zone, standing.label)
    return Message(topic, str(standing.count).encode(), qos=0, retain=True)


def label_of(class_id: int, labels: Sequence[str]) -> str:
    """The label of a class, or ``class_<id>`` where the list is too short or has a hole."""
    return (labels[class_id] if 0 <= class_id < len(labels) else "") or f"class_{class_id}"


def _seen(detections: Detections, labels: Sequence[str], frame: FrameSize) -> list[dict[str, Any]]:
    if not len(detections):
        return []
    # float64 before rounding: 0.41 as float32 would be written as 0.4099999964237213
    size = np.array([frame.width, frame.height, frame.width, frame.height], np.float64)
    boxes = np.clip(detections.boxes.astype(np.float64) / size, 0.0, 1.0).round(_DIGITS).tolist()
    scores = detections.scores.astype(np.float64).round(_DIGITS).tolist()
    return [
        {"label": label_of(class_id, labels), "class_id": class_id, "score": score, "box": box}
        for class_id, score, box in zip(detections.class_ids.tolist(), scores, boxes, strict=True)
    ]


def _lost(lost: LostEvents) -> dict[str, Any]:
    return {
        "epoch": lost.epoch,
        "ranges": lost.ranges,
        "cause": lost.cause,
        "count": lost.count,
        "since_wall_ms": lost.since_wall_ms,
    }


def _track_facts(track: Track | None, frame: FrameSize | None, happened_ns: int, label: str | None) -> dict[str, Any]:
    if track is None:
        return {"label": label, "score": None, "top_score": None, "box": None, "track": None}
    return {
        "label": track.label,
        "score": round(track.score, _DIGITS),
        "top_score": round(track.top_score, _DIGITS),
        "box": None if frame is None else _box(track, frame),
        "track": {
            "id": track.track_id,
            "age_ms": max(0, happened_ns - track.first_seen_ns) // _NS_PER_MS,
            "frames": track.frames,
            "stationary": track.stationary,
        },
    }


def _box(track: Track, frame: FrameSize) -> list[float]:
    return [round(edge, _DIGITS) for edge in track.box.normalised(width=frame.width, height=frame.height)]


def _line(line: LineCrossing | None) -> dict[str, Any] | None:
    return None if line is None else {"name": line.name, "direction": line.direction}


def _rule(rule: RuleHit | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    return {"name": rule.name, "severity": rule.severity.value, "why": [_reason(reason) for reason in rule.why]}


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "condition": reason.condition,
        "value": _number(reason.value),
        "threshold": _number(reason.threshold),
    }


def _number(value: float) -> float:
    """4 digits; a whole number without its ``.0``, so that 1500 ms reads as 1500."""
    rounded = round(value, _DIGITS)
    return int(rounded) if float(rounded).is_integer() else rounded


def _time(time: EventTime) -> dict[str, Any]:
    return {
        "wall_ms": time.wall_ms,
        "monotonic_ms": time.monotonic_ms,
        "boot_id": time.boot_id,
        "synced": time.synced,
        "uncertainty_ms": time.uncertainty_ms,
    }


def _frame(frame: FrameSize | None) -> dict[str, Any] | None:
    return None if frame is None else {"sequence": frame.sequence, "width": frame.width, "height": frame.height}


def _model(model: ModelRef | None) -> dict[str, Any] | None:
    return None if model is None else {"name": model.name, "sha256": model.sha256}


def _latency(latency: StageTimes) -> dict[str, int]:
    return {
        "capture": round(latency.capture),
        "preprocess": round(latency.preprocess),
        "infer": round(latency.infer),
        "decode": round(latency.decode),
        "total": round(latency.total),
    }
