"""A mosquitto for the simulation."""

from __future__ import annotations

import getpass
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROFILE_LINES = ("max_queued_messages 100000", "max_queued_bytes 0", "set_tcp_nodelay true", "allow_anonymous true")


class Broker:
    """A mosquitto of our own on a free port."""

    def __init__(self, folder: Path, window: int) -> None:
        path = shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/sbin")
        if path is None:
            sys.exit("fleet: mosquitto is not here; install it (apt-get install mosquitto)")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        configuration = folder / "mosquitto.conf"
        lines = [f"user {getpass.getuser()}", f"listener {self.port} 127.0.0.1", *PROFILE_LINES]
        configuration.write_text("\n".join([*lines, f"max_inflight_messages {window}", "log_type error", ""]))
        self._command = [path, "-c", str(configuration)]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)
        sys.exit("fleet: the broker did not start")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100
