"""A person's desk: the files that a site file names, all good; tests change one thing."""

from __future__ import annotations

from pathlib import Path

from edge.config.yaml_reader import read_yaml
from edge.provision.card import Card, make_card
from edge.provision.site import CardPlan, load_site
from edge.provision.table import Row
from tests.certificates import Authority

SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0bYx7kqk8vN1r0Wk1xv9h3m0xqk3n1T0b2vS5kQ9aB me@desk"
PASSPHRASE = "correct horse battery"
CAMERA_PASSWORD = "so-secret-77"
PASSWORD_HASH = "$6$abcdefgh$" + "x" * 86
INSTANCE = "edge-0123456789abcdef"

SITE = f"""\
raspberry_pi_os: 13
package: edge_0.1.0_arm64.deb
login:
  name: pi
  ssh_keys: ["{SSH_KEY}"]
  password_hash: {{file: password-hash}}
wifi: {{name: "Müller: Netz", password: {{file: wifi}}, country: DE}}
edge:
  device: gate
  timezone: Europe/Berlin
  broker:
    host: mqtt.lan
    tls: {{ca: authority.pem, certificate: "{{device}}-certificate.pem", key: "{{device}}-key.pem"}}
  cameras:
    yard:
      source: picamera2:0
      rules:
        night: {{when: appear, label: person, schedule: "22:00-06:00"}}
    street: {{source: "rtsp://192.168.1.20/s1", username: viewer, password: {{file: camera}}}}
"""


class Desk:
    """One folder with a good site file and everything it names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site.yaml"
        self.write(SITE)
        (folder / "edge_0.1.0_arm64.deb").write_bytes(b"!<arch>\n" + b"package")
        authority = Authority(folder, "authority")
        for device in ("gate", "garden"):
            _, key = authority.issue(device)
            key.chmod(0o600)
        for name, text in (("wifi", PASSPHRASE), ("camera", CAMERA_PASSWORD), ("password-hash", PASSWORD_HASH)):
            self.secret(name, text)

    def write(self, text: str) -> None:
        self.site.write_text(text, encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        text = self.site.read_text(encoding="utf-8")
        assert old in text
        self.write(text.replace(old, new))

    def forget_secrets(self) -> None:
        """A broker that knows nobody by a certificate, a camera without a password."""
        names = 'ca: authority.pem, certificate: "{device}-certificate.pem", key: "{device}-key.pem"'
        self.change(names, "")
        self.change(", username: viewer, password: {file: camera}", "")

    def secret(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(f"{text}\n", encoding="utf-8")
        path.chmod(0o600)

    def plan(self, row: Row | None = None) -> CardPlan:
        return load_site(self.site, row)

    def card(self, row: Row | None = None) -> Card:
        return make_card(self.plan(row), INSTANCE)

    def contents(self, row: Row | None = None) -> dict[str, str]:
        return {file.path: file.content.decode() for file in self.card(row).files}


def same_yaml(text: str, other: str) -> bool:
    """Whether two texts say the same; where it stands does not matter."""
    return _plain(read_yaml(text.encode(), "a")) == _plain(read_yaml(other.encode(), "b"))


def _plain(node: object) -> object:
    from edge.config.nodes import Mapping, Scalar

    if isinstance(node, Scalar):
        return node.text, node.quoted
    if isinstance(node, Mapping):
        return {key.text: _plain(value) for key, value in node.entries}
    return [_plain(item) for item in node.items]  # type: ignore[attr-defined]
