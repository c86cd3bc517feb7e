"""What every child process needs on its own side: a first word, a way to say things from any thread, a way to go."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from edge.core.protocols import Clock
from edge.service.channel import Channel, ChannelClosedError

_FIRST_WORD_S = 30.0
_LAST_WORD_S = 1.0


class Post:
    """The sending half of a channel, for several threads; the receiving half stays with one."""

    def __init__(self, channel: Channel, encode: Callable[[Any], bytes]) -> None:
        self._channel = channel
        self._encode = encode
        self._busy = threading.Lock()

    def send(self, letter: object) -> None:
        """Ends the process when nobody is left to read."""
        frame = self._encode(letter)
        try:
            with self._busy:
                self._channel.send(frame)
        except ChannelClosedError:
            leave_at_once(0)

    def flush(self) -> None:
        """Send what the other side was too slow for; to be called now and then."""
        try:
            with self._busy:
                self._channel.flush()
        except ChannelClosedError:
            leave_at_once(0)

    def finish(self, clock: Clock) -> None:
        """Wait until all is sent, for a moment at most: before the process ends."""
        until_ns = clock.monotonic_ns() + round(_LAST_WORD_S * 1e9)
        self.flush()
        while not self._channel.is_flushed and clock.monotonic_ns() < until_ns:
            self._channel.wait(0.1)
            self.flush()


def settle() -> None:
    """What this process has now it keeps: Python's collector, switched off until here, need not look at it again.

    Looking at all of it takes 10 to 30 ms, in the middle of a frame; while libraries are imported, it takes a third of
    the time.
    """
    gc.freeze()
    gc.enable()


def first_frame(channel: Channel, clock: Clock) -> bytes:
    """What the parent says first; without it there is nothing to do. Raises ChannelClosedError."""
    until_ns = clock.monotonic_ns() + round(_FIRST_WORD_S * 1e9)
    while clock.monotonic_ns() < until_ns:
        channel.wait(1.0)
        frame = channel.receive_one()
        if frame is not None:
            return frame
    raise ChannelClosedError("the service said nothing")


def leave_at_once(code: int) -> NoReturn:
    """Without waiting for a thread that may be anywhere."""
    sys.stderr.flush()
    os._exit(code)
