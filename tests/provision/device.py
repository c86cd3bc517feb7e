"""A device in a folder: the set-up script runs for real, with stand-ins for what belongs to the whole system."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from edge.provision.writing import write_to_boot
from tests.provision.desk import Desk

# What the script names from the root of the system, all of it the folder's here.
_PLACES = ("/etc/", "/var/log/", "/var/lib/cloud/", "/opt/edge/", "/run/")
_SYSTEMCTL = """#!/bin/sh
wants=ROOT/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
case "$1" in
  enable) ln -sf "../$2" "$wants/$2" ;;
  disable) rm -f "$wants/$2" ;;
esac
"""
_DPKG = """#!/bin/sh
if [ "$1" = --print-architecture ]; then
  echo "${ARCHITECTURE:-arm64}"
  exit
fi
if [ -e ROOT/power-cut ]; then
  rm ROOT/power-cut
  kill -KILL "$PPID"
fi
exit ${DPKG_CODE:-0}
"""
_PROGRAMS = {
    "systemctl": _SYSTEMCTL,
    "dpkg": _DPKG,
    "edge": "#!/bin/sh\necho 'edge, version 9.9'\n",
    "findmnt": '#!/bin/sh\ncase "$*" in *"/usr"*) echo "${SYSTEM:-rw}" ;; *) echo rw ;; esac\n',
    "sync": "#!/bin/sh\n",  # the whole machine's disks are nobody's business here
}


class Device:
    """One Raspberry Pi with a card in it."""

    def __init__(self, root: Path, desk: Desk) -> None:
        self.root = root
        self.boot = root / "boot/firmware"
        self.problem = self.boot / "EDGE-PROBLEM.txt"
        self.status = self.boot / "edge-status.txt"
        for folder in (
            "bin",
            "boot/firmware",
            "etc/systemd/system",
            "var/log",
            "var/lib/cloud/instance",
            "opt/edge/bin",
            "run",
        ):
            (root / folder).mkdir(parents=True)
        for name in ("config.txt", "cmdline.txt"):
            (self.boot / name).write_text("\n")
        for name, text in _PROGRAMS.items():
            program = root / "bin" / name
            program.write_text(text.replace("ROOT", str(root)))
            program.chmod(0o755)
        self.provision(desk)

    def provision(self, desk: Desk) -> None:
        """At the desk: the card's files, and their paths moved into the folder."""
        write_to_boot(desk.card(), self.boot)
        script = self.boot / "edge/setup.sh"
        text = script.read_text()
        for place in _PLACES:
            text = text.replace(f" {place}", f" {self.root}{place}").replace(f"={place}", f"={self.root}{place}")
        script.write_text(text)

    def start(self, **environment: str) -> int:
        """A card's first start by cloud-init: the set-up's exit code."""
        self.begin()
        return self._set_up(**environment)

    def begin(self) -> None:
        """The first thing that cloud-init does, at each start."""
        assert self._set_up("later") == 0

    def _set_up(self, *arguments: str, **environment: str) -> int:
        command = ["sh", str(self.boot / "edge/setup.sh"), *arguments]
        values = os.environ | {"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"} | environment
        return subprocess.run(command, env=values, capture_output=True, check=False, timeout=60).returncode

    def cut_the_power_while_it_installs(self) -> None:
        (self.root / "power-cut").touch()
        assert self.start() != 0

    def start_again(self) -> None:
        """A start after the first: systemd runs what was enabled before it, and cloud-init nothing more."""
        unit = self.root / "etc/systemd/system/edge-setup.service"
        wanted = self.root / "etc/systemd/system/multi-user.target.wants/edge-setup.service"
        is_wanted = wanted.exists()
        self.begin()
        if is_wanted:
            assert f"ExecStart=/bin/sh {self.boot}/edge/setup.sh" in unit.read_text()
            self._set_up()

    def file(self, path: str) -> Path:
        return self.root / path
