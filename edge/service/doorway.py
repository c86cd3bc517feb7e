"""Where the publisher of the pair of units waits for its detector."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

from edge.core.errors import InUseError, UsageError
from edge.service.channel import Channel
from edge.service.neighbour import peer_of

logger = logging.getLogger(__name__)

_TURN_S = 1.0


class Doorway:
    """A socket at ``path`` for this user and group. One process at a time has the place, from ``open`` to ``leave``.

    A lock file beside the socket says whose it is: to knock would be to take away the visit that the other waits for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_file = path.with_name(f"{path.name}.lock")
        self._lock: int | None = None
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Begin to listen.

        Raises
        ------
        InUseError
            Another process has the place.
        UsageError
            The path can't be had at all.
        """
        try:
            self._lock = self._take_lock()
            self._socket = self._listen()
        except OSError as error:
            self.leave()
            raise UsageError(
                f"--socket {self._path}: expected a place for a socket, found: {error.strerror or error}"
            ) from error
        except InUseError:
            self.leave()
            raise

    def welcome(self, *, alive: Callable[[], None]) -> Channel:
        """Wait for a detector that may come in; who may not is turned away.

        alive : called every second of the waiting
        """
        assert self._socket is not None, "the doorway is not open"
        self._socket.settimeout(_TURN_S)
        while True:
            alive()
            try:
                end, _ = self._socket.accept()
            except TimeoutError:
                continue
            peer = peer_of(end)
            if peer.is_trusted:
                return Channel(end)
            logger.error("turned away process %d of user %d: neither our user nor our group", peer.pid, peer.uid)
            end.close()

    def close(self) -> None:
        """Nobody else may come in; the place stays ours."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Give up the place, and leave nothing behind."""
        self.close()
        if self._lock is not None:
            self._lock_file.unlink(missing_ok=True)  # while it is locked: whoever opened it meanwhile looks again
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> int:
        while True:
            lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_there_still(lock):
                    os.ftruncate(lock, 0)
                    os.write(lock, f"{os.getpid()}\n".encode())
                    return lock
            except BlockingIOError:
                holder = os.read(lock, 20).decode("ascii", "replace").strip()
                os.close(lock)
                raise InUseError(self._in_use(holder)) from None
            os.close(lock)

    def _is_there_still(self, lock: int) -> bool:
        try:
            return os.path.samestat(os.fstat(lock), self._lock_file.stat())
        except FileNotFoundError:
            return False

    def _listen(self) -> socket.socket:
        if self._path.is_socket():  # left over, for the lock is ours; anything else is somebody's, and binding says so
            self._refuse_if_alive()
            self._path.unlink()
        doorway = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        before = os.umask(0o117)  # others may not even knock
        try:
            doorway.bind(str(self._path))
            doorway.listen(1)
        except OSError:
            doorway.close()
            raise
        finally:
            os.umask(before)
        return doorway

    def _refuse_if_alive(self) -> None:
        """Another program may listen there, which knows nothing of our lock."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as knocking:
            knocking.setblocking(False)
            try:
                knocking.connect(str(self._path))
            except OSError as error:
                if error.errno in (errno.ECONNREFUSED, errno.ENOENT):
                    return
                raise
            raise InUseError(self._in_use(str(peer_of(knocking).pid)))

    def _in_use(self, holder: str) -> str:
        who = f"process {holder}" if holder.isdigit() else "another process"
        return f"--socket {self._path}: {who} has this place already; stop it, or take another path"
