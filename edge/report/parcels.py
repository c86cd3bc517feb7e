"""An event on its way from the outbox to the broker: what is written into it last, and what it can do without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from edge.core.values import Message
from edge.report.outbox.values import Position

_ON_TIME = b'"replayed":false}'
_LATE = b'"replayed":true}'

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel(Message):
    """A message that the outbox holds.

    is_again : sent although the broker has acknowledged it once, for the consumer has not confirmed it
    """

    position: Position
    is_trimmed: bool = False
    is_again: bool = False


def mark_replayed(payload: bytes) -> bytes:
    """The same event with ``replayed`` true. Ours end with that key, so nothing has to be read."""
    if payload.endswith(_ON_TIME):
        return payload[: -len(_ON_TIME)] + _LATE
    if payload.endswith(_LATE):
        return payload
    return _changed(payload, {"replayed": True}) or payload


def trim(payload: bytes, limit: int) -> bytes | None:
    """The event in at most ``limit`` bytes, without what a person misses least; None if it is too much still.

    In this order: why the rule spoke, latencies, model, frame, track, top score; then the names of what is null, and
    of the time all but the wall's. Identity, type, camera, label, box, zones, line, the rule's name, the wall time and
    what a gap names are never left out: some 400 bytes, so that every broker takes them.
    """
    event = _read(payload)
    if event is None:
        return None
    for leave_out in _STEPS:
        leave_out(event)
        trimmed = _encode(event)
        if len(trimmed) <= limit:
            return trimmed
    return None


def _without_why(event: dict[str, Any]) -> None:
    if isinstance(event.get("rule"), dict):
        event["rule"]["why"] = []


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    def leave_out(event: dict[str, Any]) -> None:
        if key in event:
            event[key] = None

    return leave_out


def _without_nulls(event: dict[str, Any]) -> None:
    for key in [key for key, value in event.items() if value is None]:
        del event[key]


def _without_fine_time(event: dict[str, Any]) -> None:
    time = event.get("time")
    if isinstance(time, dict):
        event["time"] = {key: time[key] for key in ("wall_ms", "synced") if key in time}


_STEPS = (
    _without_why,
    *(_without(key) for key in ("latency_ms", "model", "frame", "track", "top_score")),
    _without_nulls,
    _without_fine_time,
)


def _changed(payload: bytes, values: dict[str, Any]) -> bytes | None:
    event = _read(payload)
    return None if event is None else _encode(event | values)


def _read(payload: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
