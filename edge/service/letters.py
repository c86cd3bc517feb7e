"""What the service and its publisher say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from edge.core.values import Message


class Setup(msgspec.Struct, frozen=True, tag=True):
    """The first word: all that the publisher has to know. Secrets travel here, not in arguments or the environment.

    filters : topics whose messages are passed on to the service
    boot_id : of the machine, for a publisher whose sandbox hides /proc
    greeting : where somebody who has come back says ``online``, and all state is said again; None = nowhere
    """

    device: str
    host: str
    port: int
    keepalive_s: int
    username: str | None
    password: str | None
    is_tls: bool
    ca: str | None
    certificate: str | None
    key: str | None
    outbox: str
    volatile: str | None
    max_bytes: int
    consumer: str | None
    log_level: int
    boot_id: str
    filters: tuple[str, ...] = ()
    greeting: str | None = None

    def __repr__(self) -> str:
        return f"Setup(device={self.device!r}, host={self.host!r})"  # never the password


class Tell(msgspec.Struct, frozen=True, tag=True):
    """State or detections to publish; not durable."""

    message: Message


class Committed(msgspec.Struct, frozen=True, tag=True):
    """The outbox has something new."""


class Leave(msgspec.Struct, frozen=True, tag=True):
    """Deliver what can be delivered within the time, say offline, go."""

    within_s: float


class Progress(msgspec.Struct, frozen=True, tag=True):
    """How publishing goes: a sign of life too. Counts are since the start of this publisher.

    beat : grows while the publishing thread works
    heard : messages taken from the service
    is_settled : the broker has all state of them
    """

    beat: int = 0
    heard: int = 0
    is_settled: bool = False
    is_connected: bool = False
    connects: int = 0
    delivered: int = 0
    unheard: int = 0
    drops: dict[str, int] = {}
    unheard_now: int = 0
    denied_now: int = 0
    refused_now: int = 0
    trimmed: int = 0
    dead: int = 0
    is_refused: bool = False
    last_error: str | None = None


class Arrived(msgspec.Struct, frozen=True, tag=True):
    """A message that the publisher does not handle itself."""

    topic: str
    payload: bytes
    retain: bool


ToPublisher = Setup | Tell | Committed | Leave
FromPublisher = Progress | Arrived

encode = msgspec.msgpack.Encoder().encode
read_by_publisher = msgspec.msgpack.Decoder(ToPublisher).decode
read_by_service = msgspec.msgpack.Decoder(FromPublisher).decode


@dataclass(frozen=True, slots=True)
class Standing:
    """What the way out knows about itself, for health and for the last words.

    reasons : codes for the health report; empty when all is well
    depth : events waiting to be sent, None = unknown
    """

    drops: dict[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    depth: int | None = None
    delivered: int = 0
    unheard: int = 0
    ever_connected: bool = False
    last_error: str | None = None


def total(before: Progress, now: Progress) -> Progress:
    """Counts of the publishers that have ended added to those of the one that runs."""
    summed: dict[str, Any] = {
        name: getattr(before, name) + getattr(now, name)
        for name in ("connects", "delivered", "unheard", "trimmed", "dead")
    }
    drops = {cause: before.drops.get(cause, 0) + now.drops.get(cause, 0) for cause in before.drops | now.drops}
    return msgspec.structs.replace(now, drops=drops, last_error=now.last_error or before.last_error, **summed)
