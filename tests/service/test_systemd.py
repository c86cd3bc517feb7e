from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from edge.service.systemd import Notifier


def test_systemd_is_told_ready_with_a_status(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5.0)

        Notifier(str(tmp_path / "notify")).ready("watching 2 camera(s)")

        assert listener.recv(1024) == b"READY=1\nSTATUS=watching 2 camera(s)"


def test_what_is_special_about_this_run_stands_before_the_status(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))

        Notifier(str(tmp_path / "notify"), note="safe mode").ready("watching 1 camera(s)")

        assert listener.recv(1024) == b"READY=1\nSTATUS=safe mode: watching 1 camera(s)"


def test_a_status_can_not_say_anything_else(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))

        Notifier(str(tmp_path / "notify"), note="a\nMAINPID=1").status("of bytes \udcff\nWATCHDOG=trigger")

        assert listener.recv(1024) == b"STATUS=a?MAINPID=1: of bytes ??WATCHDOG=trigger"


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


def test_a_systemd_that_was_away_for_a_moment_is_told_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier(str(tmp_path / "notify"))
    notifier.alive()
    notifier.alive()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5.0)

        notifier.alive()

        assert listener.recv(1024) == b"WATCHDOG=1"
    assert len([line for line in caplog.messages if "could not be told" in line]) == 1


def test_a_listener_that_reads_nothing_does_not_stop_the_service(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        notifier = Notifier(str(tmp_path / "notify"))

        for _ in range(2000):  # more than any queue of datagrams holds
            notifier.alive()

        assert listener.recv(1024) == b"WATCHDOG=1"


def test_the_watchdog_is_fed_three_times_within_what_the_unit_allows() -> None:
    assert Notifier("", environment={"WATCHDOG_USEC": "30000000"}).alive_every_s == 10.0
    assert Notifier("", environment={"WATCHDOG_USEC": "6000000", "WATCHDOG_PID": str(os.getpid())}).alive_every_s == 2.0


def test_the_watchdog_of_another_process_asks_nothing_of_this_one() -> None:
    unwatched = Notifier("", environment={}).alive_every_s

    assert Notifier("", environment={"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}).alive_every_s == unwatched
    assert Notifier("", environment={"WATCHDOG_USEC": "soon"}).alive_every_s == unwatched
    assert Notifier("", environment={"WATCHDOG_USEC": "9" * 400}).alive_every_s == unwatched


def test_a_standstill_has_the_watchdog_bite_where_there_is_one(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5.0)
        address = str(tmp_path / "notify")

        Notifier(address, environment={"WATCHDOG_USEC": "6000000"}).stalled("outbox")
        Notifier(address, environment={}).stalled("model")

        told = [listener.recv(1024) for _ in range(3)]
    assert told == [b"STATUS=standing still: outbox", b"WATCHDOG=trigger", b"STATUS=standing still: model"]
