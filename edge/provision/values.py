"""The site file's values: one Struct per section, one field per key, exactly as in docs/provision.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from edge.config.kinds import Text
from edge.config.scalars import WrongValueError
from edge.config.texts import parse_host
from edge.config.values import Config, File, SecretRef

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_KEY = re.compile(r"(ssh-|ecdsa-|sk-)[A-Za-z0-9@.-]{3,60} [A-Za-z0-9+/=]{32,8192}( [^\n]{0,200})?")


def parse_network_name(text: str) -> str:
    """An SSID: 1 to 32 bytes (IEEE 802.11, 9.4.2.2)."""
    if not 1 <= len(text.encode()) <= 32 or not text.isprintable():
        raise WrongValueError("write the network's name as your router shows it, 1 to 32 bytes long")
    return text


def parse_country(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", text):
        code = text.upper()
        raise WrongValueError(f"write {code}" if re.fullmatch(r"[A-Z]{2}", code) else "write two letters such as DE")
    return text


def parse_user(text: str) -> str:
    if not _USER.fullmatch(text) or text == "root":
        raise WrongValueError("write up to 32 of a-z, 0-9, _ and -, beginning with a letter, and not root")
    return text


def parse_public_key(text: str) -> str:
    if "PRIVATE KEY" in text or not _KEY.fullmatch(text):
        raise WrongValueError("write the line of a public key, as in ~/.ssh/id_ed25519.pub: `ssh-ed25519 AAAA... name`")
    return text


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all sections have in common."""


class Wifi(_Section, frozen=True, kw_only=True):
    """The wireless network. Without ``password`` it is an open one."""

    name: Annotated[str, Text("the name of a wireless network", parse_network_name)]
    password: SecretRef | None = None
    country: Annotated[str, Text("the country's two letters, for its radio rules", parse_country)]
    hidden: bool = False
    security: Literal["wpa2", "wpa3"] = "wpa2"


class Login(_Section, frozen=True, kw_only=True):
    """Who may log in to the device. ``password_hash`` names a file with what ``openssl passwd -6`` prints."""

    name: Annotated[str, Text("a user name", parse_user)]
    ssh_keys: tuple[Annotated[str, Text("a public SSH key", parse_public_key)], ...] = ()
    password_hash: SecretRef | None = None


class Site(_Section, frozen=True, kw_only=True):
    """The whole file.

    raspberry_pi_os : 13 (Trixie) reads cloud-init's files, 12 (Bookworm) runs firstrun.sh
    package : edge_VERSION_arm64.deb; none for a card with edge's own image, which has edge inside
    time_servers : asked for the time in place of the distribution's: a Raspberry Pi has no clock of its own, and
        without the time no certificate can be checked
    edge : what becomes /etc/edge/edge.yaml
    """

    raspberry_pi_os: Literal[12, 13] = 13
    package: File | None = None
    login: Login
    wifi: Wifi | None = None
    time_servers: tuple[Annotated[str, Text("a host name or address", parse_host)], ...] = ()
    edge: Config

    @property
    def timezone(self) -> str | None:
        """The device's and the rules' alike."""
        return self.edge.timezone


def package_fault(path: Path) -> str | None:
    """What is wrong with the package's file; None when it is one for a Raspberry Pi."""
    if not re.fullmatch(r"edge_[^_]+_arm64\.deb", path.name):
        return f"expected edge_VERSION_arm64.deb, found {path.name}; make it with tools/package --arch arm64"
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        return f"{path} can't be read: {error.strerror}; check the path"
    return None if head == b"!<arch>\n" else f"{path} is no Debian package; copy it again"
