"""Which broker, who we are there, and how patient we are."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from edge.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files in PEM format; they are read afresh at each connect, so that a renewed certificate is picked up.

    ca : who vouches for the broker; None = the authorities this system trusts
    certificate, key : who we are, for brokers that ask; both or neither
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            missing = "key" if self.key is None else "certificate"
            raise ConfigError(f"broker.tls: certificate and key go together, {missing} is missing; add it")


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The broker and our credentials there; the caller has read the secrets from their files.

    Raises
    ------
    ConfigError
        Plain text to anything but this machine, a port or host that can't be one, a password without a user name.
    """

    host: str
    port: int
    tls: TlsSettings | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive_s: int = 15

    def __post_init__(self) -> None:
        if not self.host or any(character in self.host for character in "/@ \t\n"):
            raise ConfigError(f"broker.host {self.host!r:.80}: expected a host name or address alone, such as mqtt.lan")
        if not 1 <= self.port <= 65535:
            raise ConfigError(f"broker.port {self.port}: expected 1 to 65535 (8883 for TLS, 1883 on this machine)")
        if self.password is not None and self.username is None:
            raise ConfigError("broker.password: a password needs a user name; set broker.username")
        if self.tls is None and not is_loopback(self.host):
            raise ConfigError(
                f"broker {self.host}:{self.port}: plain text is allowed to this machine only (localhost); "
                "give broker.tls, such as tls: {ca: ca.pem}"
            )

    @property
    def address(self) -> str:
        """``host:port`` for messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait for what, in seconds.

    refused_s : after wrong credentials or a session taken over; a person has to act, so hurry helps nobody
    stable_s : a connection that lived this long makes the next back-off start small again
    """

    backoff_first_s: float = 0.5
    backoff_longest_s: float = 60.0
    refused_s: float = 60.0
    connect_s: float = 5.0
    acknowledge_s: float = 10.0
    stable_s: float = 10.0


def is_loopback(host: str) -> bool:
    """Whether a host, as written, is this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
