"""A person's login on the camera, by SSH over QEMU's network."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tools.booting.desk import LOGIN

_TRY_S = 30.0  # an emulated key exchange takes seconds


class Login:
    """Commands on the camera, as root. One connection is kept: an emulated key exchange takes seconds."""

    def __init__(self, key: Path, port: int) -> None:
        keep = ["-o", "ControlMaster=auto", "-o", f"ControlPath={key.parent / 'login'}", "-o", "ControlPersist=600"]
        trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        lasting = ["-o", "ConnectTimeout=120", "-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=10"]
        self._ssh = ["ssh", "-i", str(key), "-p", str(port), "-o", "BatchMode=yes", *keep, *trust, *lasting]
        self._ssh.append(f"{LOGIN}@127.0.0.1")

    def run(self, script: str, *, patience_s: float = 300) -> str:
        """What it prints; raises RuntimeError when it fails, or takes longer than ``patience_s``."""
        command = [*self._ssh, "sudo", "sh", "-s"]
        try:
            done = subprocess.run(
                command, input=script, check=False, capture_output=True, text=True, timeout=patience_s
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"on the camera {script!r} did not end within {patience_s:.0f} s") from None
        if done.returncode != 0:
            raise RuntimeError(f"on the camera {script!r} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    @property
    def is_open(self) -> bool:
        """Whether the camera lets one in by now."""
        try:
            self.run("true", patience_s=_TRY_S)
        except RuntimeError:
            return False
        return True

    def forget(self) -> None:
        """Before the machine goes: the connection would be waited for."""
        subprocess.run([*self._ssh[:-1], "-O", "exit", self._ssh[-1]], check=False, capture_output=True)
