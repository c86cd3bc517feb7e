"""Where the publisher of the pair of units waits for its detector: the socket that systemd holds, or one of its own."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from edge.core.errors import UsageError
from edge.service.channel import Channel
from edge.service.neighbour import peer_of

logger = logging.getLogger(__name__)

_FIRST_PASSED = 3  # sd_listen_fds(3)
_TURN_S = 1.0


def open_doorway(path: Path | None, *, environment: Mapping[str, str] = os.environ) -> socket.socket:
    """The socket that was passed to this process, else one at ``path`` for this user and group.

    Raises
    ------
    UsageError
        If there is neither, or the path can't be had.
    """
    count, process = environment.get("LISTEN_FDS", ""), environment.get("LISTEN_PID", "")
    if process == str(os.getpid()) and count.isascii() and count.isdigit() and int(count) > 0:
        return socket.socket(fileno=_FIRST_PASSED)
    if path is None:
        raise UsageError(
            "expected a socket from systemd (edge-publisher.socket) or --socket PATH, found neither; "
            "start the unit edge-publisher.socket, or name a path"
        )
    return _own_socket(path)


def welcome(doorway: socket.socket, *, alive: Callable[[], None]) -> Channel:
    """Wait for a detector that may come in; who may not is turned away.

    alive : called every second of the waiting
    """
    doorway.settimeout(_TURN_S)
    while True:
        alive()
        try:
            end, _ = doorway.accept()
        except TimeoutError:
            continue
        peer = peer_of(end)
        if peer.is_trusted:
            return Channel(end)
        logger.error("turned away process %d of user %d: neither our user nor our group", peer.pid, peer.uid)
        end.close()


def _own_socket(path: Path) -> socket.socket:
    doorway = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o117)  # others may not even knock
    try:
        if path.is_socket():  # left over; anything else is somebody's, and binding says so
            path.unlink()
        doorway.bind(str(path))
        doorway.listen(1)
    except OSError as error:
        doorway.close()
        raise UsageError(f"--socket {path}: expected a place for a socket, found: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return doorway
