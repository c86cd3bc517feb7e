"""A broker as tools/broker-setup makes it: the shipped profile and access list, TLS, a certificate per client."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

from tests.brokers import Brokers, Mosquitto, free_port
from tests.plain_mqtt import PlainClient, Will

REPOSITORY = Path(__file__).resolve().parents[2]
SETUP = REPOSITORY / "tools" / "broker-setup"
PEOPLE = {
    "gate": "device",
    "yard": "device",
    "archive": "consumer",
    "backup": "consumer",
    "operator": "operator",
    "monitor": "monitor",
    "homeassistant": "homeassistant",
}


def run_setup(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SETUP, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )


class Site:
    """A folder of certificates, and the broker that goes with it."""

    master = "master"

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "pki"
        # a stranger: a device whose subtree no test uses; the master may do all, by a line that is not shipped
        self.people = {**PEOPLE, "stranger": "device", self.master: "device"}
        people = [f"--{role}={name}" for name, role in self.people.items()]
        done = run_setup("--out", self.folder, "--host", "localhost", "--host", "127.0.0.1", *people)
        assert done.returncode == 0, done.stderr
        with (self.folder / "broker" / "edge.acl").open("a") as acl:
            acl.write(f"user {self.master}\ntopic readwrite #\n")
        self._brokers = Brokers(folder)
        self.broker: Mosquitto

    def start(self) -> None:
        """The shipped profile, with this folder and a free port in the places of the real ones."""
        port = free_port()
        files = self.folder / "broker"
        profile = (files / "edge.conf").read_text().replace("/etc/mosquitto/edge", str(files))
        profile = profile.replace("listener 8883", f"listener {port} 127.0.0.1")
        profile = profile.replace("/var/lib/mosquitto/", f"{files}/")
        # the harness opens a listener of its own first; it gets the same rules, and no test uses it
        self.broker = self._brokers.start(listener="", extra=profile)
        self.port = port

    def files(self, name: str) -> tuple[Path, Path, Path]:
        """Authority, certificate, key."""
        folder = self.folder / f"{self.people[name]}s" / name
        return folder / "ca.crt", folder / f"{name}.crt", folder / f"{name}.key"

    def context(self, name: str | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.folder / "broker" / "ca.crt")
        if name is not None:
            _, certificate, key = self.files(name)
            context.load_cert_chain(certificate, key)
        return context

    def connect(self, name: str, *, client_id: str | None = None, will: Will | None = None) -> PlainClient:
        return PlainClient(self.port, client_id=client_id or name, context=self.context(name), will=will)

    def end(self) -> None:
        self._brokers.end()
