"""Processes begun before it is known what they will do: they import their libraries while the service reads its own.

Each is forked from the service while that is young: it has one thread, has read nothing yet, and holds nothing open
but its standard streams. What the service has imported by then is shared, and not imported again. Whoever takes the
place of one that ended is started afresh (``child``); by then the service has threads, and is not to be forked.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from edge.service.ready import wait_readable

_FIRST_FREE = 3  # the first descriptor that is no standard stream
_LAST_USED = 1024  # a service that is young has no more


@dataclass(frozen=True, slots=True)
class Begun:
    """A process that waits for its first word, and our ends of its channel and of its life line."""

    process: Forked
    channel: socket.socket
    life_line: int

    def discard(self) -> None:
        """Nobody needs it."""
        self.channel.close()
        os.close(self.life_line)
        self.process.kill()
        self.process.wait(1.0)


class Forked:
    """As much of ``subprocess.Popen`` as is needed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def poll(self) -> int | None:
        """The exit code; minus a signal's number; None while it lives."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Raises subprocess.TimeoutExpired."""
        if self.poll() is None:
            _wait_for_end(self.pid, timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(["edge"], timeout)
        return code


def _wait_for_end(pid: int, timeout_s: float) -> None:
    try:
        end = os.pidfd_open(pid)
    except OSError:  # no descriptor left: then it is not waited for
        return
    try:
        wait_readable((end,), timeout_s)
    finally:
        os.close(end)


_waiting: dict[str, Begun] = {}


def begin(module: str, enter: Callable[[str, str, str], None]) -> None:
    """Fork a process that goes on in ``enter``; for a service that has no threads yet, and no secrets.

    Parameters
    ----------
    enter : given the module, the descriptor of the channel and that of the life line
    """
    if module in _waiting:
        return
    ours, theirs = socket.socketpair()
    life_line, our_end = os.pipe2(os.O_CLOEXEC)
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        pid = os.fork()
        if pid == 0:
            _live(module, enter, theirs, life_line)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    os.close(life_line)
    _waiting[module] = Begun(Forked(pid), ours, our_end)


def take(module: str) -> Begun | None:
    """The process that was begun for a module, once."""
    return _waiting.pop(module, None)


def discard_all() -> None:
    """Those that nobody has taken are not needed."""
    while _waiting:
        _waiting.popitem()[1].discard()


def _live(module: str, enter: Callable[[str, str, str], None], theirs: socket.socket, life_line: int) -> None:
    """In the new process; never returns."""
    code = 1
    try:
        _forget_the_parent({theirs.fileno(), life_line})
        enter(module, str(theirs.detach()), str(life_line))
        code = 0
    except BaseException:  # noqa: BLE001  # nothing of the service's own may go on here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _forget_the_parent(kept: set[int]) -> None:
    """As after a fresh start: no descriptors but our own, no handlers of signals or of the log, nothing on stdin."""
    first = _FIRST_FREE
    for number in sorted(kept):
        os.closerange(first, number)
        first = number + 1
    os.closerange(first, _LAST_USED)
    for begun in _waiting.values():
        begun.channel.detach()  # closed already
    _waiting.clear()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    logging.root.handlers.clear()
