"""What doctor looks at, and what it finds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec


class State(StrEnum):
    """How well a thing is."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    name : stays the same for scripts, such as ``clock`` or ``camera:yard``
    found : what is the case, in words
    fix : the next step; empty when all is well
    """

    name: str
    state: State
    found: str
    fix: str = ""


class CameraFacts(msgspec.Struct, frozen=True):
    """A camera of the configuration.

    kind : as edge.capture.spec.SourceKind; target : without any login
    """

    name: str
    kind: str
    target: str


class BrokerFacts(msgspec.Struct, frozen=True):
    """How the publisher would connect."""

    host: str
    port: int
    is_tls: bool
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def __repr__(self) -> str:
        return f"BrokerFacts(host={self.host!r}, port={self.port})"  # never the password


class Patient(msgspec.Struct, frozen=True):
    """What is looked at; without a configuration, the machine alone.

    system : where /sys, /proc, /dev and /etc are found
    model : a card's name or a file
    outbox : the file of waiting events
    """

    system: str = "/"
    device: str = "edge"
    model: str | None = None
    accelerator: str = "auto"
    cameras: tuple[CameraFacts, ...] = ()
    broker: BrokerFacts | None = None
    outbox: str | None = None

    def place(self, path: str) -> Path:
        """A file of the system, such as ``sys/class/video4linux``."""
        return Path(self.system) / path


def ok(name: str, found: str) -> Finding:
    return Finding(name, State.OK, found)


def warning(name: str, found: str, fix: str) -> Finding:
    return Finding(name, State.WARNING, found, fix)


def broken(name: str, found: str, fix: str) -> Finding:
    return Finding(name, State.BROKEN, found, fix)
