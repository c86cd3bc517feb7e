"""What a person has before a camera is set up: a broker's certificates, a site file, a login, and a flashed card."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from edge.provision.card import make_card
from edge.provision.site import load_site
from edge.provision.writing import write_to_folder
from tools.booting.machine import BOOT_OFFSET
from tools.imaging.filesystems import put_on_boot
from tools.packaging.targets import CHECKOUT

HOST = "10.0.2.2"  # this machine's loopback, as QEMU's network shows it to the emulated one
DEVICE, LOGIN, CONSUMER = "gate", "warden", "archive"
CARD_BYTES = 4 << 30  # QEMU wants a power of two for an SD card
# Nothing is to be seen in the made-up camera's picture, so one event comes every few seconds: absence for 4 s, 8 s, ...
_ABSENCES = "".join(f"        quiet-{n}: {{when: absence, zone: all, seconds: {4 * n}}}\n" for n in range(1, 61))
_SITE = """\
login: {{name: {login}, ssh_keys: ["{key}"]}}
time_servers: [{host}]
edge:
  device: {device}
  broker:
    host: {host}
    port: {port}
    tls:
      ca: pki/devices/{{device}}/ca.crt
      certificate: pki/devices/{{device}}/{{device}}.crt
      key: pki/devices/{{device}}/{{device}}.key
  outbox: {{consumer: {consumer}}}
  health: {{interval_seconds: 10}}
  cameras:
    yard:
      source: /dev/video0
      size: [640, 480]
      fps: 2
      publish_detections: true
      zones: {{all: [[0, 0], [1, 0], [1, 1], [0, 1]]}}
      rules:
{absences}"""


class Desk:
    """One folder with all of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.key = folder / "id_ed25519"

    def lay(self) -> None:
        """Certificates by tools/broker-setup, an SSH key, the site file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        setup = [sys.executable, str(CHECKOUT / "tools/broker-setup"), "--out", str(self.folder / "pki")]
        setup += ["--host", HOST, "--host", "127.0.0.1", "--device", DEVICE]
        setup += ["--consumer", CONSUMER, "--operator", "watcher"]
        subprocess.run(setup, check=True, stdout=subprocess.DEVNULL)
        self.key.unlink(missing_ok=True)
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "desk", "-f", str(self.key)]
        subprocess.run(make, check=True)
        values = {"login": LOGIN, "key": self.key.with_suffix(".pub").read_text().strip(), "host": HOST}
        values |= {"device": DEVICE, "port": str(self.port), "consumer": CONSUMER, "absences": _ABSENCES}
        (self.folder / "site.yaml").write_text(_SITE.format(**values), encoding="utf-8")

    def flash(self, image: Path, name: str = "card.img") -> Path:
        """A card of its own with the image, and the site's files on its boot partition."""
        card = self.folder / name
        subprocess.run(["cp", "--sparse=always", str(image), str(card)], check=True)
        with card.open("r+b") as stream:
            stream.truncate(CARD_BYTES)
        files = self.folder / "card"
        shutil.rmtree(files, ignore_errors=True)
        write_to_folder(make_card(load_site(self.folder / "site.yaml"), "edge-boot-check"), files)
        put_on_boot(card, BOOT_OFFSET, files)
        return card
