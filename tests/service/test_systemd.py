from __future__ import annotations

import socket
from pathlib import Path

from edge.service.systemd import Notifier


def test_systemd_is_told_ready_with_a_status(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5.0)

        Notifier(str(tmp_path / "notify")).ready("watching 2 camera(s)")

        assert listener.recv(1024) == b"READY=1\nSTATUS=watching 2 camera(s)"


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0edge-test-notify")
        listener.settimeout(5.0)

        Notifier("@edge-test-notify").alive()

        assert listener.recv(1024) == b"WATCHDOG=1"


def test_without_systemd_nothing_is_said() -> None:
    Notifier("").ready("alone")


def test_a_vanished_systemd_is_no_reason_to_stop(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "gone"))

    notifier.ready("watching")
    notifier.stopping()
