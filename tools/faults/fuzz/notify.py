"""What systemd says in the environment, and what we say to systemd: lines that nobody else can put words into."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from tools.faults.fuzz.target import Target

_SEEDS = [
    b"10000000\0001\0watching 2 camera(s)\0safe mode\0camera yard, model",
    b"\0\0\0\0",
    b"0\000999999\0a status\0\0outbox",
]
_WORDS = [b"\n", b"\r", b"MAINPID=1", b"\nWATCHDOG=trigger", b"READY=1", b"\xff", b"9" * 400, b"-1", b"\0", b"@", b"/"]
_KNOWN = {"READY", "STATUS", "WATCHDOG", "STOPPING"}


def _open() -> Callable[[bytes], None]:
    from edge.service.systemd import Notifier

    address = str(Path(mkdtemp(dir="/dev/shm")) / "notify")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(address)
    listener.setblocking(False)

    def heard() -> list[str]:
        found = []
        while True:
            try:
                found.append(listener.recv(1 << 16).decode())
            except BlockingIOError:
                return found

    def one(content: bytes) -> None:
        parts = [each.decode("utf-8", "surrogateescape") for each in content.split(b"\0")]
        usec, pid, status, note, what = (parts + [""] * 5)[:5]
        notifier = Notifier(address, environment={"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}, note=note)
        assert notifier.alive_every_s > 0
        notifier.ready(status)
        notifier.status(status)
        notifier.alive()
        notifier.stalled(what)
        notifier.stopping()
        lines = [line for word in heard() for line in word.split("\n")]
        assert {line.partition("=")[0] for line in lines} <= _KNOWN, lines
        assert len(lines) <= 7, lines
        assert lines.count("STOPPING=1") == 1, lines

    return one


NOTIFY = Target("notify", lambda: _SEEDS, _open, _WORDS)
