"""Where the publisher of the pair of units waits for its detector."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

from edge.core.errors import UsageError
from edge.service.channel import Channel
from edge.service.neighbour import peer_of

logger = logging.getLogger(__name__)

_TURN_S = 1.0


def open_doorway(path: Path) -> socket.socket:
    """A socket at ``path`` for this user and group. Raises UsageError if the path can't be had."""
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
