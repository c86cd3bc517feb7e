"""A provisioned card's first start, as far as a system in a folder goes: cloud-init itself (13), or firstrun.sh (12).

    sudo tools/provision-check --deb dist/edge_0.1.0_amd64.deb --release trixie

No network, no kernel, no systemd: that the card is read by the Raspberry Pi's firmware is not shown here.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from edge.provision.card import Card, make_card
from edge.provision.network import wpa2_key
from edge.provision.site import load_site
from edge.provision.writing import write_to_boot
from tools.packaging.chroot import Chroot, need_root
from tools.packaging.targets import CHECKOUT

_COMMON = "python3,tzdata,ca-certificates,init-system-helpers,procps,openssh-server,sudo,systemd"
_PACKAGES = {"trixie": f"{_COMMON},cloud-init,netplan.io,iproute2", "bookworm": _COMMON}
_VERSIONS = {"trixie": 13, "bookworm": 12}
_NETWORK, _PASSPHRASE, _CAMERA_PASSWORD = "Garten: Netz", "correct horse battery", "camera-secret-77"
_SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0bYx7kqk8vN1r0Wk1xv9h3m0xqk3n1T0b2vS5kQ9aB me@desk"
_SITE = """\
raspberry_pi_os: {version}
package: edge_0.1.0_arm64.deb
login: {{name: warden, ssh_keys: ["{key}"], password_hash: {{file: password-hash}}}}
wifi: {{name: "{network}", password: {{file: wifi}}, country: DE}}
edge:
  device: gate
  timezone: Europe/Berlin
  broker:
    host: mqtt.lan
    tls: {{ca: pki/broker/ca.crt, certificate: "{{device}}.crt", key: "{{device}}.key"}}
  cameras:
    yard: {{source: "picamera2:0"}}
    street: {{source: "rtsp://192.168.1.20/s1", username: viewer, password: {{file: camera}}}}
"""
# As Raspberry Pi OS 13 is made: the seed lies on the boot partition.
_SEED = "datasource_list: [NoCloud]\ndatasource:\n  NoCloud:\n    seedfrom: file:///boot/firmware/\n"
_STAGES = ("init --local", "init", "modules --mode=config", "modules --mode=final")


class FirstBoot:
    """The steps, in order; each tells what it found and raises RuntimeError when it is not what was promised."""

    def __init__(self, chroot: Chroot, package: Path, desk: Path) -> None:
        self._chroot = chroot
        self._package = package
        self._desk = desk
        self._root = chroot.folder
        self._boot = chroot.folder / "boot/firmware"

    def steps(self) -> tuple[Callable[[], str], ...]:
        if self._chroot.release == "trixie":
            return (
                self.provision,
                self.schema,
                self.cloud_init,
                self.result,
                self.wiped,
                self.second_start,
                self.wrong,
            )
        return (self.provision, self.firstrun, self.result, self.wiped, self.wrong)

    def provision(self) -> str:
        shutil.rmtree(self._boot, ignore_errors=True)
        self._boot.mkdir(parents=True)
        for name, text in (("config.txt", "[all]\n"), ("cmdline.txt", "root=PARTUUID=1-02 rootwait\n")):
            (self._boot / name).write_text(text, encoding="utf-8")
        card = self._card()
        written = write_to_boot(card, self._boot)
        return f"{len(card.files) + 1} files, {written / 1e6:.0f} MB"

    def schema(self) -> str:
        for name in ("user-data", "network-config"):
            kind = "cloud-config" if name == "user-data" else name
            self._chroot.run("cloud-init", "schema", "--config-file", f"/boot/firmware/{name}", "--schema-type", kind)
        return "cloud-init accepts user-data and network-config"

    def cloud_init(self) -> str:
        (self._root / "etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg").write_text(_SEED, encoding="utf-8")
        self._chroot.run("cloud-init", "clean")
        return self._cloud_init_stages()

    def firstrun(self) -> str:
        said = self._chroot.run("bash", "/boot/firmware/firstrun.sh").stdout
        line = (self._boot / "cmdline.txt").read_text(encoding="utf-8")
        if "systemd.run" in line or (self._boot / "firstrun.sh").exists():
            raise RuntimeError(f"firstrun.sh would run again: {line}\n{said}")
        return "ran once"

    def result(self) -> str:
        status = (self._boot / "edge-status.txt").read_text(encoding="utf-8")
        problem = self._boot / "EDGE-PROBLEM.txt"
        if problem.exists() or "set up as gate" not in status:
            told = problem.read_text(encoding="utf-8") if problem.exists() else ""
            raise RuntimeError(f"the set-up failed: {status}{told}{self._log()}")
        self._expect("etc/hostname", "gate")
        self._expect("etc/shadow", "warden:$6$")
        self._expect("home/warden/.ssh/authorized_keys", _SSH_KEY)
        self._expect("etc/edge/edge.yaml", "credential: mqtt-key")
        self._expect("etc/edge/credentials/camera-street", _CAMERA_PASSWORD)
        self._expect("etc/systemd/system/edge.service.d/credentials.conf", "LoadCredential=mqtt-key:")
        self._expect_wifi()
        if (self._root / "etc/edge/credentials/mqtt-key").stat().st_mode & 0o077:
            raise RuntimeError("others may read the credentials")
        if not (self._root / "etc/systemd/system/multi-user.target.wants/edge.service").is_symlink():
            raise RuntimeError("the service is not enabled")
        return status.strip()

    def wiped(self) -> str:
        secrets = [_PASSPHRASE, wpa2_key(_NETWORK, _PASSPHRASE), _CAMERA_PASSWORD, "PRIVATE KEY", "$6$"]
        for path in self._boot.rglob("*"):
            if path.is_file() and path.suffix != ".deb":
                text = path.read_bytes().decode(errors="replace")
                found = [secret for secret in secrets if secret in text and path.name != "setup.sh"]
                if found:
                    raise RuntimeError(f"{path} still holds a secret: {found[0][:3]}...")
        return "no secret is left on the boot partition"

    def second_start(self) -> str:
        before = self._chroot.run("stat", "-c", "%Y", "/opt/edge/current").stdout
        self._cloud_init_stages()
        if self._chroot.run("stat", "-c", "%Y", "/opt/edge/current").stdout != before:
            raise RuntimeError("the second start set the device up again")
        self._expect("etc/shadow", "warden:$6$")
        self._expect_wifi()
        return "login, network and configuration are as they were"

    def wrong(self) -> str:
        """A copy that broke on the way to the card."""
        package = next((self._boot / "edge").glob("edge_*.deb"))
        package.write_bytes(package.read_bytes()[:100_000])
        self._chroot.run("sh", "/boot/firmware/edge/setup.sh", check=False)
        told = (self._boot / "EDGE-PROBLEM.txt").read_text(encoding="utf-8")
        lines = [line.strip() for line in told.splitlines() if line.startswith("What")]
        if len(lines) != 2:
            raise RuntimeError(f"expected what is wrong and what to do, found {told}")
        return " / ".join(lines)

    def _card(self) -> Card:
        _lay_desk(self._desk, _VERSIONS[self._chroot.release])
        card = make_card(load_site(self._desk / "site.yaml"), "edge-first-boot")
        # The card of a Pi carries arm64; this machine's own architecture is tried in its place.
        return Card(card.device, card.files, self._package, card.kernel_words)

    def _cloud_init_stages(self) -> str:
        script = "; ".join(f"cloud-init {stage}" for stage in _STAGES)
        # /run is the machine's memory: a start begins with an empty one.
        shutil.rmtree(self._root / "run/cloud-init", ignore_errors=True)
        said = self._chroot.run("sh", "-c", script, check=False).stdout
        if "Traceback" in said:
            raise RuntimeError(said)
        return "four stages ran"

    def _expect_wifi(self) -> None:
        key = wpa2_key(_NETWORK, _PASSPHRASE)
        if self._chroot.release == "trixie":
            self._expect("etc/netplan/50-cloud-init.yaml", key)
        else:
            self._expect("etc/NetworkManager/system-connections/edge-wifi.nmconnection", key)

    def _expect(self, path: str, words: str) -> None:
        file = self._root / path
        if not file.is_file() or words not in file.read_text(encoding="utf-8"):
            raise RuntimeError(f"expected {words[:20]!r} in {file}\n{self._log()}")

    def _log(self) -> str:
        logs = (self._root / "var/log" / name for name in ("edge-setup.log", "cloud-init-output.log"))
        return "\n".join(log.read_text(encoding="utf-8")[-3000:] for log in logs if log.is_file())


def _lay_desk(desk: Path, version: int) -> None:
    """The files that a person would have: a site file, certificates, secrets."""
    (desk / "edge_0.1.0_arm64.deb").write_bytes(b"!<arch>\n")
    hashed = subprocess.run(["openssl", "passwd", "-6", "hallo"], check=True, capture_output=True, text=True).stdout
    for name, text in (("wifi", _PASSPHRASE), ("camera", _CAMERA_PASSWORD), ("password-hash", hashed)):
        (desk / name).write_text(text, encoding="utf-8")
        (desk / name).chmod(0o600)
    setup = [sys.executable, str(CHECKOUT / "tools/broker-setup"), "--out", str(desk / "pki"), "--host", "mqtt.lan"]
    subprocess.run([*setup, "--device", "gate"], check=True, stdout=subprocess.DEVNULL)
    for kind in ("crt", "key"):
        shutil.copy(desk / f"pki/devices/gate/gate.{kind}", desk)
    text = _SITE.format(version=version, key=_SSH_KEY, network=_NETWORK)
    (desk / "site.yaml").write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/provision-check", description="Rehearse a card's first start.")
    parser.add_argument("--deb", type=Path, required=True, help="of this machine's architecture")
    parser.add_argument("--release", choices=tuple(_PACKAGES), default="trixie", help="Raspberry Pi OS 12 or 13")
    parser.add_argument("--roots", type=Path, default=Path("build/roots"), help="the systems are kept here")
    options = parser.parse_args()
    need_root()
    chroot = Chroot(options.roots.resolve() / f"{options.release}-init", options.release, "amd64")
    chroot.make(_PACKAGES[options.release])
    with tempfile.TemporaryDirectory() as folder:
        for step in FirstBoot(chroot, options.deb, Path(folder)).steps():
            began_s = time.monotonic()
            found = step()
            print(f"{step.__name__.replace('_', ' '):14} {time.monotonic() - began_s:6.1f} s  {found}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
