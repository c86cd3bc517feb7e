"""A supervised process: started, watched for progress, killed at its deadline, started again with growing patience.

What can hang or crash in foreign code lives in one. It can't become an orphan: when this process ends, however it
ends, the kernel closes the channel, and the child takes that as its end; one that is stuck is ended by its life line.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Protocol

from edge.core.protocols import Clock
from edge.service import cradle
from edge.service.channel import Channel, ChannelClosedError
from edge.service.ready import wait_readable

logger = logging.getLogger(__name__)

_FIRST_WAIT_S = 0.2
_NS_PER_S = 1_000_000_000
_NEVER_NS = 1 << 62
# One that the kernel does not let go of by then is waited for no longer; at the end there is more time for it.
_DYING_S = 0.2
_LAST_DYING_S = 1.0
_DESCRIPTORS_FOLLOW = b"d"
# The child imports what we import, from where we did, whatever folder it is started in.
_ENTER = "import sys; sys.path[:] = sys.argv[4:]; from edge.service.entry import enter; enter(*sys.argv[1:4])"


class Process(Protocol):
    """What is started, and what ends it."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def kill(self) -> None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float) -> object: ...


class Child:
    """One process at a time. All methods belong to one thread, or to one at a time; but for ``pid`` and ``wait``.

    Parameters
    ----------
    name : for the log
    module : its ``main`` gets the child's end of the channel
    greet : the first frames of each new process
    start_s : how long it may take to its first sign of life
    silent_s : how long it may be silent after that; every frame is a sign of life. None = as long as it likes
    descriptors : what it gets besides the channel, in this order
    is_restarted : whether another takes its place when it fails
    stable_s : one that lived so long is started again after a short wait; each that did not doubles the wait
    longest_s : the longest wait
    """

    _begun = "started"

    def __init__(
        self,
        name: str,
        module: str,
        *,
        greet: Callable[[], list[bytes]],
        clock: Clock,
        start_s: float = 30.0,
        silent_s: float | None = 10.0,
        descriptors: tuple[int, ...] = (),
        is_restarted: bool = True,
        stable_s: float = 30.0,
        longest_s: float = 15.0,
    ) -> None:
        self._name = name
        self._module = module
        self._greet = greet
        self._clock = clock
        self._start_s = start_s
        self._silent_s = silent_s
        self._descriptors = descriptors
        self._is_restarted = is_restarted
        self._stable_s = stable_s
        self._longest_s = longest_s
        self._dying: list[Process] = []
        self._process: Process | None = None
        self._channel: Channel | None = None
        self._life_line: int | None = None
        self._started_ns = 0
        self._deadline_ns = 0
        self._next_ns = 0
        self._wait_s = _FIRST_WAIT_S
        self.restarts = 0
        self.deaths = 0  # of these, how often it ended by itself
        self.has_died = False  # the last one did
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
        if self._dying:
            self._dying = [process for process in self._dying if process.poll() is None]
        if self._process is None:
            if self.has_gone or now_ns < self._next_ns:
                return False
            return self._start(now_ns)
        if now_ns >= self._deadline_ns:
            self.fail("made no progress in time")
        return False

    def expect(self, within_s: float | None) -> None:
        """From now on it may be silent for so long; None = as long as it likes."""
        self._silent_s = within_s
        self._deadline_ns = self._after(within_s)

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
            self._deadline_ns = self._after(self._silent_s)
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

    def rouse(self) -> None:
        """A frame follows soon. Its end is left for ``receive`` to find."""
        if self._channel is not None:
            with suppress(ChannelClosedError):
                self._channel.rouse()

    def offer(self, frame: bytes) -> bool:
        """As ``send``, for a thread that must not wait: the end of a process is left for ``receive`` to find."""
        channel = self._channel
        if channel is None or not channel.has_room:
            return False
        try:
            channel.send(frame)
        except ChannelClosedError:
            return False
        return True

    @property
    def is_flushed(self) -> bool:
        """Whether nothing waits to be sent."""
        return self._channel is None or self._channel.is_flushed

    def dismiss(self) -> None:
        """It was told to go: its end will be no failure, and no other takes its place."""
        self.is_dismissed = True

    def wait(self, timeout_s: float, *others: int) -> None:
        """Until the child has something to say, another descriptor is ready, or the time is over."""
        if self._channel is not None:
            self._channel.wait(min(timeout_s, self._until(self._deadline_ns)), *others)
            return
        wait_readable(others, min(timeout_s, self._until(self._next_ns)))

    def fail(self, why: str) -> None:
        """End this process, whatever it does, and plan the next."""
        process = self._process
        if process is None:
            return
        self._let_go()
        lived_s = (self._clock.monotonic_ns() - self._started_ns) / _NS_PER_S
        self._wait_s = _FIRST_WAIT_S if lived_s >= self._stable_s else min(self._longest_s, self._wait_s * 2)
        self._next_ns = self._clock.monotonic_ns() + round(self._wait_s * random.uniform(0.5, 1.0) * _NS_PER_S)  # noqa: S311
        self.restarts += 1
        self.has_died = False
        self.has_gone = not self._is_restarted
        logger.log(
            logging.ERROR if self._is_restarted else logging.INFO,  # who restarts it says what it means
            "the process %s (%d) %s, exit code %s%s",
            self._name,
            process.pid,
            why,
            process.returncode,
            ": starting it again" if self._is_restarted else "",
        )

    def end(self, *, is_late: bool = True) -> None:
        """Whatever it does; ``is_late`` : it was given time to go by itself."""
        if self._process is not None:
            if is_late:
                logger.warning("the process %s (%d) did not go in time: killed", self._name, self._process.pid)
            self._let_go(_LAST_DYING_S)
        self.has_gone = True

    def _start(self, now_ns: int) -> bool:
        try:
            self._process, ours, self._life_line = self._spawn()
        except OSError as error:  # no memory, no process left: as good as one that ended at once
            self._next_ns = now_ns + round(self._wait_s * _NS_PER_S)
            self._wait_s = min(self._longest_s, self._wait_s * 2)
            logger.error("the process %s could not be %s: %s", self._name, self._begun, error.strerror or error)
            return False
        self._channel = Channel(ours)
        self._started_ns = now_ns
        self._deadline_ns = now_ns + round(self._start_s * _NS_PER_S)
        for frame in self._greet():
            self.send(frame)
        return True

    def _spawn(self) -> tuple[Process, socket.socket, int | None]:
        """Start a process; returns it with our ends of its channel and of its life line. Raises OSError."""
        begun = cradle.take(self._module)
        if begun is None:
            process, ours, our_end = self._start_afresh()
        else:
            process, ours, our_end = begun.process, begun.channel, begun.life_line
        try:
            socket.send_fds(ours, [_DESCRIPTORS_FOLLOW], self._descriptors)
        except OSError as error:  # it has ended already: found by whoever speaks to it first
            logger.debug("the process %s did not take its descriptors: %s", self._name, error)
        return process, ours, our_end

    def _start_afresh(self) -> tuple[Process, socket.socket, int]:
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as undoing:
            undoing.callback(ours.close)
            life_line, our_end = os.pipe2(os.O_CLOEXEC)
            undoing.callback(os.close, our_end)
            ends = (str(theirs.fileno()), str(life_line))
            command = [sys.executable, "-P", "-c", _ENTER, self._module, *ends, *sys.path]
            # A stop that is meant for us all (Ctrl-C, systemd) is ours to pass on: the child inherits what is blocked.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
            try:
                process = subprocess.Popen(  # noqa: S603
                    command, pass_fds=(theirs.fileno(), life_line), stdin=subprocess.DEVNULL
                )
            finally:
                os.close(life_line)
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            undoing.pop_all()
        return process, ours, our_end

    def _lose(self) -> None:
        if not self.is_dismissed:
            self.deaths += 1
            self.fail("ended")
            self.has_died = True
            return
        self._let_go()
        self.has_gone = True

    def _let_go(self, dying_s: float = _DYING_S) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._life_line is not None:
            os.close(self._life_line)
        if self._process is not None:
            self._process.kill()
            try:
                self._process.wait(dying_s)
            except subprocess.TimeoutExpired:  # in a driver that does not come back: gone some day, or never
                self._dying.append(self._process)
        self._process, self._channel, self._life_line = None, None, None

    def _after(self, within_s: float | None) -> int:
        return _NEVER_NS if within_s is None else self._clock.monotonic_ns() + round(within_s * _NS_PER_S)

    def _until(self, deadline_ns: int) -> float:
        return max(0.0, (deadline_ns - self._clock.monotonic_ns()) / _NS_PER_S)
