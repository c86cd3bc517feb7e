"""A process that somebody else starts: it is connected to, over a Unix socket, where a child of ours would be started.

For the pair of units: the detector has no network, the publisher no devices, and systemd starts both. The publisher
serves one connection and ends with it, exactly as the child does, so all that is above is the same.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.core.protocols import Clock
from edge.service.child import Child, Process

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7), SO_PEERCRED)
_CONNECT_S = 5.0  # the kernel answers at once, unless the queue of those who wait is full


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a Unix socket, as the kernel says."""

    pid: int
    uid: int
    gid: int

    @property
    def is_trusted(self) -> bool:
        """The system itself, this user, or one whose group is ours: the pair of units shares a group."""
        return self.uid in (0, os.geteuid()) or self.gid == os.getegid()


def peer_of(end: socket.socket) -> Peer:
    """Whoever connected, or, seen from there, whoever began to listen."""
    return Peer(*_CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)))


class Neighbour(Child):
    """Supervised as a child is, but ending it means to hang up: its own unit starts it again, and watches it.

    path : the socket it is reached at
    """

    _begun = "reached"

    def __init__(self, name: str, path: Path, *, greet: Callable[[], list[bytes]], clock: Clock) -> None:
        super().__init__(name, str(path), greet=greet, clock=clock)
        self._path = path

    def _spawn(self) -> tuple[Process, socket.socket, int | None]:
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            end.settimeout(_CONNECT_S)
            end.connect(str(self._path))
            peer = peer_of(end)
            if not peer.is_trusted:
                raise PermissionError(0, f"{self._path} belongs to user {peer.uid}, neither to ours nor to the system")
        except OSError:
            end.close()
            raise
        return _Elsewhere(peer.pid), end, None


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A process that is not ours to kill; it ends when its connection does."""

    pid: int
    returncode: int | None = None  # its own unit knows

    def kill(self) -> None:
        return

    def poll(self) -> int | None:
        return 0

    def wait(self, timeout: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        return
