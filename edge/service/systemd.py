"""What systemd is told: READY, STATUS, WATCHDOG, STOPPING (sd_notify(3)). Silent where there is no systemd."""

from __future__ import annotations

import logging
import os
import socket

logger = logging.getLogger(__name__)


class Notifier:
    """Sends state lines to the socket systemd names in the environment; does nothing without one."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address if address is not None else os.environ.get("NOTIFY_SOCKET", "")

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """To be called when work advanced, not merely because time passed."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, lines: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the abstract name space's leading NUL.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.sendto(lines.encode(), address)
        except OSError as error:
            logger.warning("systemd could not be told: %s", error)
            self._address = ""
