"""A supervised process: started, watched for progress, killed at its deadline, started again with growing patience.

What can hang or crash in foreign code lives in one. It can't become an orphan: when this process ends, however it
ends, the kernel closes the channel, and the child takes that as its end.
"""

from __future__ import annotations

import importlib
import logging
import random
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Protocol

from edge.core.protocols import Clock
from edge.service.channel import Channel, ChannelClosedError

logger = logging.getLogger(__name__)

_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 15.0
_STABLE_S = 30.0  # a child that lived this long starts with a short wait again
_NS_PER_S = 1_000_000_000
# The child imports what we import, from where we did, whatever folder it is started in.
_ENTER = "import sys; sys.path[:] = sys.argv[3:]; from edge.service.child import enter; enter(*sys.argv[1:3])"


class Process(Protocol):
    """What is started, and what ends it."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def kill(self) -> None: ...

    def wait(self) -> object: ...


class Child:
    """One process at a time. All methods belong to one thread, but for ``pid``.

    Parameters
    ----------
    name : for the log
    module : its ``main`` gets the child's end of the channel
    greet : the first frames of each new process
    start_s : how long it may take to its first sign of life
    silent_s : how long it may be silent after that; every frame is a sign of life
    """

    _opened = "started"

    def __init__(
        self,
        name: str,
        module: str,
        *,
        greet: Callable[[], list[bytes]],
        clock: Clock,
        start_s: float = 30.0,
        silent_s: float = 10.0,
    ) -> None:
        self._name = name
        self._module = module
        self._greet = greet
        self._clock = clock
        self._start_s = start_s
        self._silent_s = silent_s
        self._process: Process | None = None
        self._channel: Channel | None = None
        self._started_ns = 0
        self._deadline_ns = 0
        self._next_ns = 0
        self._wait_s = _FIRST_WAIT_S
        self.restarts = 0
        self.is_dismissed = False
        self.has_gone = False

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return None if self._process is None else self._process.pid

    @property
    def channel(self) -> Channel | None:
        """To the process that runs now; None while there is none."""
        return self._channel

    def tend(self) -> bool:
        """Start what should run, end what hangs; whether a new process was started just now."""
        now_ns = self._clock.monotonic_ns()
        if self._process is None:
            if self.has_gone or now_ns < self._next_ns:
                return False
            return self._start(now_ns)
        if now_ns >= self._deadline_ns:
            self.fail("made no progress in time")
        return False

    def receive(self) -> list[bytes]:
        """Frames of the child; one that has ended is started again by ``tend`` after a while."""
        if self._channel is None:
            return []
        try:
            frames = self._channel.receive()
            self._channel.flush()
        except ChannelClosedError:
            self._lose()
            return []
        if frames:
            self._deadline_ns = self._clock.monotonic_ns() + round(self._silent_s * _NS_PER_S)
        return frames

    def send(self, frame: bytes) -> bool:
        """Whether the child has it, as far as we can know; False = no child, or it is slow."""
        if self._channel is None or not self._channel.has_room:
            return False
        try:
            self._channel.send(frame)
        except ChannelClosedError:
            self._lose()
            return False
        return True

    def dismiss(self) -> None:
        """It was told to go: its end will be no failure, and no other takes its place."""
        self.is_dismissed = True

    def wait(self, timeout_s: float, *others: int) -> None:
        """Until the child has something to say, another descriptor is ready, or the time is over."""
        if self._channel is not None:
            self._channel.wait(min(timeout_s, self._until(self._deadline_ns)), *others)
            return
        poll_s = min(timeout_s, self._until(self._next_ns))
        _wait_for(others, poll_s)

    def fail(self, why: str) -> None:
        """End this process, whatever it does, and plan the next."""
        process = self._process
        if process is None:
            return
        self._let_go()
        lived_s = (self._clock.monotonic_ns() - self._started_ns) / _NS_PER_S
        self._wait_s = _FIRST_WAIT_S if lived_s >= _STABLE_S else min(_LONGEST_WAIT_S, self._wait_s * 2)
        self._next_ns = self._clock.monotonic_ns() + round(self._wait_s * random.uniform(0.5, 1.0) * _NS_PER_S)  # noqa: S311
        self.restarts += 1
        logger.error(
            "the process %s (%d) %s, exit code %s: starting it again", self._name, process.pid, why, process.returncode
        )

    def end(self) -> None:
        """Whatever it does."""
        if self._process is not None:
            logger.warning("the process %s (%d) did not go in time: killed", self._name, self._process.pid)
            self._let_go()
        self.has_gone = True

    def _start(self, now_ns: int) -> bool:
        try:
            self._process, self._channel = self._open()
        except OSError as error:  # no memory, no process left: as good as one that ended at once
            self._next_ns = now_ns + round(self._wait_s * _NS_PER_S)
            self._wait_s = min(_LONGEST_WAIT_S, self._wait_s * 2)
            logger.error("the process %s could not be %s: %s", self._name, self._opened, error.strerror or error)
            return False
        self._started_ns = now_ns
        self._deadline_ns = now_ns + round(self._start_s * _NS_PER_S)
        for frame in self._greet():
            self.send(frame)
        return True

    def _open(self) -> tuple[Process, Channel]:
        """A new process and the way to it; raises OSError."""
        ours, theirs = socket.socketpair()
        # A stop that is meant for us all (Ctrl-C, systemd) is ours to pass on: the child inherits what is blocked.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            with theirs:
                command = [sys.executable, "-P", "-c", _ENTER, self._module, str(theirs.fileno()), *sys.path]
                process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)  # noqa: S603
        except OSError:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return process, Channel(ours)

    def _lose(self) -> None:
        if not self.is_dismissed:
            self.fail("ended")
            return
        self._let_go()
        self.has_gone = True

    def _let_go(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process, self._channel = None, None

    def _until(self, deadline_ns: int) -> float:
        return max(0.0, (deadline_ns - self._clock.monotonic_ns()) / _NS_PER_S)


def enter(module: str, descriptor: str) -> None:
    """Where a new process begins."""
    main: Callable[[Channel], None] = importlib.import_module(module).main
    main(Channel(socket.socket(fileno=int(descriptor))))


def _wait_for(descriptors: tuple[int, ...], timeout_s: float) -> None:
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    poller.poll(max(0.0, timeout_s) * 1000)
